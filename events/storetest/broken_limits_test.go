package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/deedrun/deed/events"
)

var flawsOfLimits = []flaw{
	{"an event of a megabyte fits", "an event is cut at 600 KB", each(func(f *flawed) {
		f.read = f.altering(func(c *events.Commit) bool {
			for i, r := range c.Events {
				c.Events[i].Data = r.Data[:min(len(r.Data), 600_000)]
			}
			return true
		})
	})},

	{"a commit of five megabytes fits", "a commit may have 4 MB", each(func(f *flawed) {
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			if sizeOf(c) > 4<<20 {
				return 0, fmt.Errorf("append to stream %q: %w", stream, events.ErrTooLarge)
			}
			return f.Driver.Append(ctx, stream, expected, c)
		}
	})},

	{"a commit of a thousand events fits", "a commit has 512 events at most, and the others are lost", each(func(f *flawed) {
		f.read = f.altering(func(c *events.Commit) bool {
			c.Events = c.Events[:min(len(c.Events), 512)]
			return true
		})
	})},

	{"a commit beyond what the backend takes is too large, and nothing is written", "what is too large is written as far as it fits", each(func(f *flawed) {
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			version, err := f.Driver.Append(ctx, stream, expected, c)
			if errors.Is(err, events.ErrTooLarge) {
				c.Events = slices.Clone(c.Events[:1])
				_, _ = f.Driver.Append(ctx, stream, expected, c)
			}
			return version, err
		}
	})},

	{"when the caller's context is over, nothing is written", "an append does not look at its context", each(func(f *flawed) {
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			return f.Driver.Append(context.WithoutCancel(ctx), stream, expected, c)
		}
	})},

	{"when the caller's context is over, nothing is read", "a read does not look at its context", each(func(f *flawed) {
		f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
			return f.Driver.Read(context.WithoutCancel(ctx), stream, after)
		}
	})},

	{"when the caller's context is over, the end of a stream and the list of streams are not known", "the list of streams does not look at its context", each(func(f *flawed) {
		f.streams = func(ctx context.Context, prefix string) ([]string, error) {
			return f.Driver.Streams(context.WithoutCancel(ctx), prefix)
		}
	})},

	{"when the caller's context is over, nobody is subscribed", "a subscription looks at its context when it is asked", each(func(f *flawed) {
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			inner, err := f.Driver.Subscribe(context.WithoutCancel(ctx), prefix, after)
			if err != nil {
				return nil, err
			}
			return &feed{Subscription: inner, next: func(next context.Context, wait bool) (events.Commit, bool, error) {
				if ctx.Err() != nil {
					return events.Commit{}, false, ctx.Err()
				}
				both, cancel := context.WithCancelCause(next)
				defer cancel(nil)
				defer context.AfterFunc(ctx, func() { cancel(ctx.Err()) })()
				return inner.Next(both, wait)
			}}, nil
		}
	})},
}

// sizeOf a commit: the bytes of its data.
func sizeOf(c events.Commit) int {
	size := 0
	for _, r := range c.Events {
		size += len(r.Data)
	}
	return size
}
