// Package mem is an event store in memory, for tests and simulations: the
// same promises as a stored one for as long as the process lives.
//
// It starts no goroutine and knows no clock, so one goroutine can drive it,
// and it may live in a testing/synctest bubble.
package mem

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/deedrun/deed/events"
)

// maxCommit is the size in bytes, data and types together, from which on a
// commit is too large: the default of a stored backend, so that a test finds
// out first.
const maxCommit = 8 << 20

// driver holds commits. Any number of stores may share it, as they would share
// a server; Close does not take it away from the others.
type driver struct {
	mu      sync.Mutex
	log     []*events.Commit            // all commits in order; commit i has checkpoint i+1; nil: forgotten
	streams map[string][]*events.Commit // the same, by stream
	changed chan struct{}               // closed and replaced by every append
}

// New is an empty backend.
func New() events.Driver {
	return &driver{streams: map[string][]*events.Commit{}, changed: make(chan struct{})}
}

func (d *driver) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("append to stream %q: %w", stream, err)
	}
	size := 0
	for _, r := range c.Events {
		size += len(r.Type) + len(r.Data)
	}
	if size > maxCommit {
		return 0, fmt.Errorf("append to stream %q: %w: %d events of %d bytes together, at most %d fit", stream, events.ErrTooLarge, len(c.Events), size, maxCommit)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var version uint64
	if list := d.streams[stream]; len(list) > 0 {
		version = list[len(list)-1].Version()
	}
	if want, exact := expected.Version(); exact && want != version {
		return 0, &events.ConflictError{Stream: stream, Expected: expected, Actual: version}
	}
	stored := copied(c)
	stored.Stream, stored.First, stored.Checkpoint = stream, version, events.Checkpoint(len(d.log)+1)
	d.log = append(d.log, &stored)
	d.streams[stream] = append(d.streams[stream], &stored)
	close(d.changed)
	d.changed = make(chan struct{})
	return stored.Version(), nil
}

func (d *driver) Read(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		d.mu.Lock()
		list := d.streams[stream] // nothing in it changes ever, so this part of it is ours to read
		d.mu.Unlock()
		from := sort.Search(len(list), func(i int) bool { return list[i].Version() > after })
		for _, c := range list[from:] {
			if err := ctx.Err(); err != nil {
				yield(events.Commit{}, fmt.Errorf("read stream %q: %w", stream, err))
				return
			}
			if !yield(copied(*c), nil) {
				return
			}
		}
	}
}

func (d *driver) Last(ctx context.Context, stream string) (events.Commit, bool, error) {
	if err := ctx.Err(); err != nil {
		return events.Commit{}, false, fmt.Errorf("read the end of stream %q: %w", stream, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.streams[stream]
	if len(list) == 0 {
		return events.Commit{}, false, nil
	}
	return copied(*list[len(list)-1]), true, nil
}

func (d *driver) Streams(ctx context.Context, prefix string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list streams %q: %w", prefix, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for name := range d.streams {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (d *driver) Truncate(ctx context.Context, stream string, before uint64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("truncate stream %q: %w", stream, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.streams[stream]
	for len(list) > 1 && list[0].Version() <= before {
		d.log[list[0].Checkpoint-1] = nil
		list = list[1:]
	}
	if len(list) > 0 {
		d.streams[stream] = slices.Clone(list)
	}
	return nil
}

// Close implements [events.Driver]. The commits stay: whoever opens a store
// over the driver again finds them.
func (d *driver) Close() error { return nil }

// copied shares nothing with c that somebody could write to.
func copied(c events.Commit) events.Commit {
	c.Events = slices.Clone(c.Events)
	for i := range c.Events {
		c.Events[i].Data = slices.Clone(c.Events[i].Data)
	}
	return c
}
