package orchestrator

import (
	"context"
	"fmt"
	"iter"

	"github.com/deedrun/deed/events"
)

// streamPrefix begins the names of the streams of processes.
const streamPrefix = "process-"

// History yields the stored events of a process, in order.
func History(ctx context.Context, from Commits, id string) iter.Seq2[events.Event, error] {
	return HistoryAfter(ctx, from, id, 0)
}

// HistoryAfter yields those after a version.
func HistoryAfter(ctx context.Context, from Commits, id string, after uint64) iter.Seq2[events.Event, error] {
	return func(yield func(events.Event, error) bool) {
		for e, err := range eventsOf(ctx, from, id, after) {
			if err != nil {
				err = fmt.Errorf("history of process %q: %w", id, err)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// eventsOf yields the events of a history after a version.
func eventsOf(ctx context.Context, from Commits, id string, after uint64) iter.Seq2[events.Event, error] {
	return func(yield func(events.Event, error) bool) {
		for c, err := range historyOf(ctx, from, id, after) {
			if err != nil {
				yield(events.Event{}, err)
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

// Version is how many events a process has; 0 if nobody started it. It costs
// one read, however long the history is.
func Version(ctx context.Context, store *events.Store, id string) (uint64, error) {
	last, ok, err := store.Last(ctx, streamPrefix+id)
	if err != nil || !ok {
		return 0, err
	}
	k, err := closingOf(last)
	if err == nil && k.archived != nil {
		return k.archived.Events, nil
	}
	return last.Version(), err
}
