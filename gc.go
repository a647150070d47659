package deed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// DefaultGrace is how long whatever may be on its way is left alone.
const DefaultGrace = 24 * time.Hour

// DefaultCacheFor is how long a result in the cache stays that nobody uses.
const DefaultCacheFor = 30 * 24 * time.Hour

// GCOptions say what counts as garbage, and what becomes of it.
type GCOptions struct {
	// Grace protects what is on its way: blobs younger than it, and all of a
	// process that ended within it. It must be longer than the preparation of a
	// process takes, and than an execution may stay away and still report.
	Grace time.Duration // 0: DefaultGrace

	// CacheFor is how long what tasks left for later ones stays although none used
	// it; it is known to a day.
	CacheFor time.Duration // 0: DefaultCacheFor

	// Delete removes what is garbage; without it nothing is written.
	Delete bool

	// Now is the time, which must agree with that of the blob store much better
	// than Grace; nil: time.Now.
	Now func() time.Time

	lax   lax            // tests: rules to do without
	pause func(at point) // tests: called where others may come in between
}

// GCReport is what was found in the blob store.
type GCReport struct {
	Deleted bool          `json:"deleted"` // the garbage was removed; false: it would be
	Grace   task.Duration `json:"grace"`
	Garbage []Garbage     `json:"garbage"`
	Kept    GCCount       `json:"kept"`              // something refers to it, or may yet
	Young   GCCount       `json:"young"`             // nothing refers to it, but it is within the grace period
	Foreign GCCount       `json:"foreign"`           // deed did not write it, and never touches it
	Unread  []GCUnread    `json:"unread,omitempty"`  // processes of which all is kept, as are all inputs
	Changed []string      `json:"changed,omitempty"` // processes that went on meanwhile: left for the next time
}

// Garbage is what there is of one process and kind.
type Garbage struct {
	Process string    `json:"process,omitempty"` // empty: what belongs to no process alone
	Kind    blob.Kind `json:"kind"`
	GCCount
	Oldest time.Time `json:"oldest"`
}

// GCCount is a number of blobs and their size.
type GCCount struct {
	Blobs int   `json:"blobs"`
	Bytes int64 `json:"bytes"`
}

func (c *GCCount) add(o blob.Object) {
	c.Blobs++
	c.Bytes += o.Size
}

// GCUnread is a process whose references are not known, and why.
type GCUnread struct {
	Process string `json:"process"`
	Error   string `json:"error"`
}

// Total is all the garbage together.
func (r GCReport) Total() (total GCCount) {
	for _, g := range r.Garbage {
		total.Blobs += g.Blobs
		total.Bytes += g.Bytes
	}
	return total
}

// ErrNoProcesses says that the event store is empty, so that all blobs would be
// garbage: rather, one of the two is not the one that was meant.
var ErrNoProcesses = errors.New("the event store holds no process, so every blob would be garbage: it is not the one that belongs to these blobs; " +
	"should all of them really go, remove them with the means of their store")

// CollectGarbage finds the blobs that no process refers to, and removes them if
// it is asked to. It may run beside everything else, other collections too; the
// report then tells what this one did. On an error what was done by then is in
// the report.
//
// What it goes by, and which races that decides:
//
//   - a process that has not ended, or only within the grace period, keeps all
//     that lies below its name: a blob is written before anybody refers to it
//   - any other keeps what its state refers to, its logs and its snapshots
//   - a process is looked at again right before something of it is removed
//   - what tasks left for later ones goes when nobody uses it, or no process keeps
//     what it refers to; that itself goes a collection later
//   - inputs, which processes share by content, go by a protocol of their own:
//     [blob.Store.SweepShared]
//   - nothing that is younger than the grace period goes
func (r *Runtime) CollectGarbage(ctx context.Context, o GCOptions) (GCReport, error) {
	o.Grace, o.CacheFor = cmp.Or(o.Grace, DefaultGrace), cmp.Or(o.CacheFor, DefaultCacheFor)
	if r.remote != nil {
		var report GCReport
		grace, cacheFor := task.Duration(o.Grace), task.Duration(o.CacheFor)
		err := r.remote.CollectGarbage(ctx, wire.GC{Grace: &grace, CacheFor: &cacheFor, Delete: o.Delete}, &report)
		return report, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.pause == nil {
		o.pause = func(point) {}
	}
	before := o.Now().Add(-o.Grace) // from before the states are read: what is older was there when they were
	c := &collection{
		GCOptions: o, runtime: r, before: before, wantedBefore: before.Add(-blob.RenewedFor),
		processes: map[string]standing{}, garbage: map[garbageKey]*Garbage{},
	}
	err := c.mark(ctx)
	if err == nil {
		err = c.markCache(ctx)
	}
	if err == nil {
		o.pause(afterMark)
		err = c.sweep(ctx)
	}
	if err != nil {
		err = fmt.Errorf("collect garbage: %w", err)
	}
	return c.result(), err
}

// collection is one call of CollectGarbage.
type collection struct {
	GCOptions
	runtime      *Runtime
	before       time.Time // what is not older is within the grace period
	wantedBefore time.Time // the same for what may be wanted again without being written
	held         blob.Keys
	cached       blob.Keys // what entries of the cache refer to
	entries      blob.Keys // of the cache, by their keys there, that stay
	processes    map[string]standing
	garbage      map[garbageKey]*Garbage
	report       GCReport
}

type garbageKey struct {
	process string
	kind    blob.Kind
}

// lax are rules that a test does without, to show what they are for.
type lax struct {
	open  bool // what has not ended keeps no more than what its state refers to
	again bool // a process is not looked at again
}

// point is a place in a collection where others may come in between.
type point string

const (
	afterMark    point = "after mark"    // all states have been read
	beforeRemove point = "before remove" // some blobs are known to be garbage
)

func (c *collection) count(o blob.Object, kind blob.Kind, process string) {
	key := garbageKey{process, kind}
	g := c.garbage[key]
	if g == nil {
		g = &Garbage{Process: process, Kind: kind, Oldest: o.ModTime}
		c.garbage[key] = g
	}
	g.add(o)
	if o.ModTime.Before(g.Oldest) {
		g.Oldest = o.ModTime
	}
}

func (c *collection) result() GCReport {
	report := c.report
	report.Deleted, report.Grace = c.Delete, task.Duration(c.Grace)
	report.Garbage = make([]Garbage, 0, len(c.garbage))
	for g := range maps.Values(c.garbage) {
		report.Garbage = append(report.Garbage, *g)
	}
	slices.SortFunc(report.Garbage, func(a, b Garbage) int {
		return cmp.Or(strings.Compare(a.Process, b.Process), strings.Compare(string(a.Kind), string(b.Kind)))
	})
	return report
}
