package esdb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/deedrun/deed/events"
)

// endsAtOnce is how many ends are read before the first is handed over.
const endsAtOnce = 64

// Ends implements [events.EndsDriver]: as many at a time as there are
// connections.
func (d *driver) Ends(ctx context.Context, prefix string) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		err := d.ends(ctx, prefix, func(c events.Commit) bool { return yield(c, nil) })
		if err != nil {
			yield(events.Commit{}, fmt.Errorf("read the ends of streams %q: %w", prefix, d.failure(ctx, err)))
		}
	}
}

func (d *driver) ends(ctx context.Context, prefix string, yield func(events.Commit) bool) error {
	if err := d.refresh(ctx); err != nil {
		return err
	}
	seen, unseen := d.registry.matching(prefix) // one that is not seen may have been registered for an append that never came
	for chunk := range slices.Chunk(append(seen, unseen...), endsAtOnce) {
		ends := make([]events.Commit, len(chunk))
		look, lookCtx := errgroup.WithContext(ctx)
		look.SetLimit(poolSize)
		for i, stream := range chunk {
			look.Go(func() error {
				c, ok, err := d.last(lookCtx, stream)
				if ends[i] = c; ok {
					d.registry.add(stream, true)
				}
				switch broken := new(events.DamagedError); {
				case streamDeleted(err):
					return nil
				case errors.As(err, &broken):
					ends[i] = events.Commit{Stream: stream}
					return nil
				}
				return err
			})
		}
		if err := look.Wait(); err != nil {
			return errors.Join(err, ctx.Err())
		}
		for _, c := range ends {
			if c.Stream != "" && !yield(c) {
				return nil
			}
		}
	}
	return nil
}

var _ events.EndsDriver = (*driver)(nil)
