package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deedrun/deed/events"
)

var flawsOfEnds = []flaw{
	{"Stop ends a waiting Next, and may be called twice", "Stop does not wake a waiting Next", each(func(f *flawed) {
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			inner, err := f.Driver.Subscribe(ctx, prefix, after)
			if err != nil {
				return nil, err
			}
			var stopped atomic.Bool
			return &feed{
				Subscription: inner,
				next: func(ctx context.Context, wait bool) (events.Commit, bool, error) {
					if stopped.Load() {
						return events.Commit{}, false, events.ErrStopped
					}
					return inner.Next(ctx, wait)
				},
				stop: func() { stopped.Store(true) },
			}, nil
		}
	})},

	{"after Stop nothing is given, also not what was ready", "after Stop what was ready is still given", each(func(f *flawed) {
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			inner, err := f.Driver.Subscribe(ctx, prefix, after)
			if err != nil {
				return nil, err
			}
			var mu sync.Mutex
			var ready []events.Commit
			return &feed{
				Subscription: inner,
				next: func(ctx context.Context, wait bool) (events.Commit, bool, error) {
					mu.Lock()
					defer mu.Unlock()
					if len(ready) > 0 {
						c := ready[0]
						ready = ready[1:]
						return c, true, nil
					}
					mu.Unlock()
					defer mu.Lock()
					return inner.Next(ctx, wait)
				},
				stop: func() {
					mu.Lock()
					defer mu.Unlock()
					if c, ok, err := inner.Next(context.Background(), false); ok && err == nil {
						ready = append(ready, c)
					}
					inner.Stop()
				},
			}, nil
		}
	})},

	{"the end of a Next's own context ends that Next only", "the end of a Next's context stops the subscription", each(func(f *flawed) {
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			inner, err := f.Driver.Subscribe(ctx, prefix, after)
			if err != nil {
				return nil, err
			}
			return &feed{Subscription: inner, next: func(own context.Context, wait bool) (events.Commit, bool, error) {
				c, ready, err := inner.Next(own, wait)
				if own.Err() != nil {
					inner.Stop()
				}
				return c, ready, err
			}}, nil
		}
	})},

	{"the end of the subscription's context ends it", "a subscription outlives its context", each(func(f *flawed) {
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return f.Driver.Subscribe(context.WithoutCancel(ctx), prefix, after)
		}
	})},

	{"closing a store ends its subscriptions and takes no new ones; those of others go on", "closing a store stops the subscriptions of all", func(*lab) func(*flawed) {
		var mu sync.Mutex
		var all []events.Subscription
		return func(f *flawed) {
			f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
				inner, err := f.Driver.Subscribe(ctx, prefix, after)
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					all = append(all, inner)
				}
				return inner, err
			}
			f.close = func() error {
				mu.Lock()
				defer mu.Unlock()
				for _, sub := range all {
					sub.Stop()
				}
				return nil
			}
		}
	}},

	{"a store opened after a close finds events, streams and checkpoints", "the list of streams is lost when a store closes", func(*lab) func(*flawed) {
		var closed atomic.Bool
		return func(f *flawed) {
			f.streams = func(ctx context.Context, prefix string) ([]string, error) {
				if closed.Load() {
					return nil, nil
				}
				return f.Driver.Streams(ctx, prefix)
			}
			f.close = func() error {
				closed.Store(true)
				return nil
			}
		}
	}},

	{"what is acknowledged while the store closes is stored", "what is being written when a store closes is acknowledged and lost", func(*lab) func(*flawed) {
		var mu sync.Mutex
		lost := map[at]bool{}
		return func(f *flawed) {
			var closed atomic.Bool
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				before := closed.Load()
				time.Sleep(time.Millisecond)
				version, err := f.Driver.Append(ctx, stream, expected, c)
				if err == nil && closed.Load() && !before {
					mu.Lock()
					defer mu.Unlock()
					lost[at{stream, c.First}] = true
				}
				return version, err
			}
			f.read = f.altering(func(c *events.Commit) bool {
				mu.Lock()
				defer mu.Unlock()
				return !lost[at{c.Stream, c.First}]
			})
			f.close = func() error {
				closed.Store(true)
				return nil
			}
		}
	}},
}
