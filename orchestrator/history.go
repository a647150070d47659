package orchestrator

import (
	"context"
	"fmt"
	"iter"

	"github.com/deedrun/deed/events"
)

// History yields the stored events of a process, in order.
func History(ctx context.Context, store *events.Store, id string) iter.Seq2[events.Event, error] {
	return func(yield func(events.Event, error) bool) {
		for e, err := range store.Read(ctx, streamPrefix+id, 0) {
			if err != nil {
				err = fmt.Errorf("history of process %q: %w", id, err)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Version is how many events a process has; 0 if nobody started it. It costs
// one read, however long the history is.
func Version(ctx context.Context, store *events.Store, id string) (uint64, error) {
	return store.Version(ctx, streamPrefix+id)
}
