package orchestrator

import (
	"context"
	"errors"
	"fmt"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
)

// Load folds the history of a process. An unknown ID gives the zero State.
func Load(ctx context.Context, from Commits, id string) (process.State, error) {
	return LoadAt(ctx, from, id, 0)
}

// LoadAt folds the first `version` events of a process; 0 means all.
func LoadAt(ctx context.Context, from Commits, id string, version uint64) (process.State, error) {
	var fold folding
	for e, err := range eventsOf(ctx, from, id, 0) {
		if err != nil {
			return fold.end(), fmt.Errorf("load process %q: %w", id, err)
		}
		event, err := decode(e.Record)
		if err != nil {
			return fold.end(), fmt.Errorf("load process %q: event %d: %w", id, e.Version, err)
		}
		if fold.add(event); e.Version == version {
			break
		}
	}
	return fold.end(), nil
}

// isPassing reports whether the same may succeed later.
func isPassing(ctx context.Context, err error) bool {
	return errors.Is(err, events.ErrUnavailable) || ctx.Err() != nil
}
