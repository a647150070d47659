package events

import (
	"context"
	"fmt"
	"iter"
)

// Event is one event as it is read back.
type Event struct {
	ID      string // a UUID made of the commit ID and the place in the commit: the same wherever it is read, unique if commit IDs are
	Stream  string
	Version uint64 // of the stream with this event: 1 for its first
	Commit  string // the ID of the commit it came in
	Record
}

// All yields the events of a commit that was read.
func (c Commit) All() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for i, r := range c.Events {
			if !yield(Event{ID: eventID(c.ID, i), Stream: c.Stream, Version: c.First + uint64(i) + 1, Commit: c.ID, Record: r}) {
				return
			}
		}
	}
}

// Read yields the events of a stream after version `after`, in order, up to
// those stored when it reaches the end; none if the stream has no more, or
// does not exist. A stream of which something was replaced begins later than
// with version 1; if that happens meanwhile, what replaced it may come next. An
// error is the last thing it yields.
func (s *Store) Read(ctx context.Context, stream string, after uint64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for c, err := range s.ReadCommits(ctx, stream, after) {
			if err != nil {
				yield(Event{}, err)
				return
			}
			for e := range c.All() {
				if e.Version > after && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// ReadCommits is Read by commits, from the one that holds event after+1. If
// `after` lies in the middle of a commit, that commit is yielded whole.
func (s *Store) ReadCommits(ctx context.Context, stream string, after uint64) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		if err := CheckStream(stream); err != nil {
			yield(Commit{}, fmt.Errorf("read stream %q: %w", clip(stream), err))
			return
		}
		next, first := after, true
		for c, err := range s.driver.Read(ctx, stream, after) {
			begins := c.Begins && c.First > next
			if err == nil && !begins && (c.First > next || !first && c.First < next || c.Version() <= next) {
				err = &DamagedError{fmt.Errorf("read stream %q: commit %q holds events %d to %d where event %d comes next: the stored history is damaged; restore it from a copy",
					stream, c.ID, c.First+1, c.Version(), next+1)}
			}
			if err != nil {
				yield(Commit{}, err)
				return
			}
			if !yield(c, nil) {
				return
			}
			next, first = c.Version(), false
		}
	}
}
