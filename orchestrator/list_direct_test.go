package orchestrator

import (
	"context"
	"fmt"

	"github.com/deedrun/deed/events"
)

// summarise lists the processes of a store from their streams, without a
// subscription: what every other list has to agree with.
func summarise(ctx context.Context, store *events.Store) ([]Summary, error) {
	l := &list{byID: map[string]*listed{}}
	streams, err := store.Streams(ctx, streamPrefix)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	for _, stream := range streams {
		for c, err := range store.ReadCommits(ctx, stream, 0) {
			if err != nil {
				return nil, fmt.Errorf("list processes: %w", err)
			}
			l.fold(c)
		}
	}
	return l.all(), nil
}
