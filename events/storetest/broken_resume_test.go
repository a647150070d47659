package storetest

import (
	"context"

	"github.com/deedrun/deed/events"
)

var flawsOfResuming = []flaw{
	{"after any checkpoint the commit that follows is fed, in another process too", "a checkpoint is good to every third commit", each(func(f *flawed) {
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			if uint64(after) < f.end.Load() {
				after -= after % 3
			}
			return f.Driver.Subscribe(ctx, prefix, after)
		}
	})},

	{"after the last checkpoint the next commit is awaited", "a subscription from the end begins after the next commit", each(func(f *flawed) {
		f.subscribe = f.feeding(func(after events.Checkpoint) func(events.Commit) []events.Commit {
			skip := after > 0 && uint64(after) == f.end.Load()
			return func(c events.Commit) []events.Commit {
				if skip {
					skip = false
					return nil
				}
				return []events.Commit{c}
			}
		})
	})},

	{"a checkpoint serves for any prefix", "a checkpoint counts the commits of the prefix", each(func(f *flawed) {
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			if prefix == "" {
				return f.Driver.Subscribe(ctx, prefix, after)
			}
			count := events.Checkpoint(0)
			return f.feeding(changed(func(c *events.Commit) {
				count++
				c.Checkpoint = count
			}))(ctx, prefix, after)
		}
	})},

	{"a checkpoint beyond the last commit is refused: it comes from another store", "a checkpoint beyond the last commit is taken for zero", each(func(f *flawed) {
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			if uint64(after) > f.end.Load() {
				after = 0
			}
			return f.Driver.Subscribe(ctx, prefix, after)
		}
	})},
}
