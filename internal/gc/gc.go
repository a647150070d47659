// Package gc finds the blobs that no process refers to, and removes them if it is
// asked to:
//
//	mark   the state of each process is read, and what it keeps is noted; then what the cache keeps
//	sweep  each blob is looked at once: kept, too young, not written by deed, or garbage
//
// It may run beside everything else, other collections too; the report then tells
// what this one did. What it goes by, and which races that decides:
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
package gc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

// DefaultGrace is how long whatever may be on its way is left alone.
const DefaultGrace = 24 * time.Hour

// DefaultCacheFor is how long a result in the cache stays that nobody uses.
const DefaultCacheFor = 30 * 24 * time.Hour

// Options say what counts as garbage, and what becomes of it.
type Options struct {
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

	Log *slog.Logger // nil: slog.Default

	// For tests: where others may come in between, and rules to do without, to show
	// what they are for.
	Pause   func(at Point)
	Without Rules
}

// ErrNoProcesses says that the event store is empty, so that all blobs would be
// garbage: rather, one of the two is not the one that was meant.
var ErrNoProcesses = errors.New("the event store holds no process, so every blob would be garbage: it is not the one that belongs to these blobs; " +
	"should all of them really go, remove them with the means of their store")

// Collect goes through the blobs that belong to the event store of an archive, and
// the histories in that. On an error what was done by then is in the report.
func Collect(ctx context.Context, archive *orchestrator.Archive, o Options) (wire.GCReport, error) {
	o.Grace, o.CacheFor = cmp.Or(o.Grace, DefaultGrace), cmp.Or(o.CacheFor, DefaultCacheFor)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pause == nil {
		o.Pause = func(Point) {}
	}
	before := o.Now().Add(-o.Grace) // from before the states are read: what is older was there when they were
	c := &collection{
		Options: o, archive: archive, before: before, wantedBefore: before.Add(-blob.RenewedFor),
		processes: map[string]standing{}, garbage: map[garbageKey]*wire.Garbage{},
	}
	err := c.mark(ctx)
	if err == nil {
		err = c.markCache(ctx)
	}
	if err == nil {
		o.Pause(AfterMark)
		err = c.sweep(ctx)
	}
	if err != nil {
		err = fmt.Errorf("collect garbage: %w", err)
	}
	return c.result(), err
}

// collection is one call of Collect.
type collection struct {
	Options
	archive      *orchestrator.Archive
	before       time.Time // what is not older is within the grace period
	wantedBefore time.Time // the same for what may be wanted again without being written
	held         blob.Keys
	cached       blob.Keys // what entries of the cache refer to
	entries      blob.Keys // of the cache, by their keys there, that stay
	processes    map[string]standing
	garbage      map[garbageKey]*wire.Garbage
	report       wire.GCReport
}

type garbageKey struct {
	process string
	kind    blob.Kind
}

// Rules are what keeps a blob.
type Rules struct {
	Open  bool // what has not ended keeps all that lies below its name
	Again bool // a process is looked at again
}

// Point is a place in a collection where others may come in between.
type Point int

// The points.
const (
	AfterMark    Point = iota // all states have been read
	BeforeRemove              // some blobs are known to be garbage
)

func (c *collection) count(o blob.Object, kind blob.Kind, process string) {
	key := garbageKey{process, kind}
	g := c.garbage[key]
	if g == nil {
		g = &wire.Garbage{Process: process, Kind: kind, Oldest: o.ModTime}
		c.garbage[key] = g
	}
	add(&g.GCCount, o)
	if o.ModTime.Before(g.Oldest) {
		g.Oldest = o.ModTime
	}
}

func add(to *wire.GCCount, o blob.Object) {
	to.Blobs++
	to.Bytes += o.Size
}

func (c *collection) result() wire.GCReport {
	report := c.report
	report.Deleted, report.Grace = c.Delete, task.Duration(c.Grace)
	report.Garbage = make([]wire.Garbage, 0, len(c.garbage))
	for g := range maps.Values(c.garbage) {
		report.Garbage = append(report.Garbage, *g)
	}
	slices.SortFunc(report.Garbage, func(a, b wire.Garbage) int {
		return cmp.Or(strings.Compare(a.Process, b.Process), strings.Compare(string(a.Kind), string(b.Kind)))
	})
	return report
}
