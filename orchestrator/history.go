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
