package deed

import (
	"context"
	"iter"
	"time"

	"github.com/deedrun/deed/orchestrator"
)

// Views are those of the event store, which only who has the stores may write.
func (r *Runtime) Views() *orchestrator.Views {
	return &orchestrator.Views{Events: r.Events, Blobs: r.Blobs, Log: r.options.Log}
}

// Processes lists the processes as they are now that a filter chooses, the latest first.
func (r *Runtime) Processes(ctx context.Context, f orchestrator.Filter) iter.Seq2[orchestrator.Summary, error] {
	if r.remote != nil {
		return r.remote.Processes(ctx, f) // page by page
	}
	return func(yield func(orchestrator.Summary, error) bool) {
		all, err := r.Views().Processes(ctx, time.Now())
		if err != nil {
			yield(orchestrator.Summary{}, err)
			return
		}
		for _, p := range f.Of(all) {
			if !yield(p, nil) {
				return
			}
		}
	}
}
