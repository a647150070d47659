package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/deedrun/deed/events"
)

// truncated says whether something of a stream has been forgotten.
func (l *lab) truncated(stream string) bool {
	list := l.commits(stream)
	return len(list) > 0 && list[0].First > 0
}

var flawsOfReplacing = []flaw{
	{"a stream that was replaced begins with what replaced it, wherever a reader begins", "nothing is forgotten", each(func(f *flawed) {
		f.truncate = func(context.Context, string, uint64) error { return nil }
	})},

	{"a reader who is under way when a stream is replaced goes on with what replaced it, or with what was there", "a read ends where the rest has been forgotten", each(func(f *flawed) {
		f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
			return func(yield func(events.Commit, error) bool) {
				for c, err := range f.Driver.Read(ctx, stream, after) {
					if there := f.commits(stream); err == nil && c.First < there[0].First || !yield(c, err) {
						return
					}
				}
			}
		}
	})},

	{"a stream that was replaced is not gone: none is expected, and that is refused", "a stream without event 1 does not exist", each(func(f *flawed) {
		f.append = f.lax(func(stream string, want, _ uint64) bool { return want == 0 && f.truncated(stream) })
	})},

	{"a stream that was replaced goes on with the next version", "after a replacement versions count from it", each(func(f *flawed) {
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			if want, exact := expected.Version(); exact && want == f.version(stream) && f.truncated(stream) && !c.Begins {
				return 0, &events.ConflictError{Stream: stream, Expected: expected, Actual: want - f.commits(stream)[0].First}
			}
			return f.Driver.Append(ctx, stream, expected, c)
		}
	})},

	{"a replacement that is repeated succeeds again", "the ID of a replacement is forgotten with the rest", each(func(f *flawed) {
		f.last = func(ctx context.Context, stream string) (events.Commit, bool, error) {
			c, ok, err := f.Driver.Last(ctx, stream)
			if c.Begins {
				c.ID = ""
			}
			return c, ok, err
		}
	})},

	{"a replacement may be the first of a stream, and be replaced", "a replacement needs something to replace", each(func(f *flawed) {
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			if c.Begins && f.version(stream) == 0 {
				return 0, fmt.Errorf("append to stream %q: nothing to replace", stream)
			}
			return f.Driver.Append(ctx, stream, expected, c)
		}
	})},

	{"what replaced the rest stays, however often it is truncated", "a stream of one commit that is truncated is empty", func(*lab) func(*flawed) {
		var mu sync.Mutex
		empty := map[string]bool{}
		return func(f *flawed) {
			f.truncate = func(ctx context.Context, stream string, before uint64) error {
				if list := f.commits(stream); len(list) == 1 && list[0].First > 0 {
					mu.Lock()
					defer mu.Unlock()
					empty[stream] = true
				}
				return f.Driver.Truncate(ctx, stream, before)
			}
			f.read = f.altering(func(c *events.Commit) bool {
				mu.Lock()
				defer mu.Unlock()
				return !empty[c.Stream]
			})
		}
	}},

	{"a stream that nothing was to replace is not truncated", "every last commit is a replacement", each(func(f *flawed) {
		f.last = func(ctx context.Context, stream string) (events.Commit, bool, error) {
			c, ok, err := f.Driver.Last(ctx, stream)
			c.Begins = ok
			return c, ok, err
		}
	})},

	{"a replacement that is refused forgets nothing", "a replacement forgets the rest before it is written", each(func(f *flawed) {
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			if c.Begins {
				_ = f.Driver.Truncate(ctx, stream, c.First)
			}
			return f.Driver.Append(ctx, stream, expected, c)
		}
	})},

	{"other streams lose nothing when one is replaced", "streams whose names begin alike are truncated as well", each(func(f *flawed) {
		f.truncate = func(ctx context.Context, stream string, before uint64) error {
			names, err := f.Driver.Streams(ctx, stream)
			for _, name := range names {
				err = errors.Join(err, f.Driver.Truncate(ctx, name, before))
			}
			return err
		}
	})},

	{"a stream that was replaced is still listed", "a stream that was truncated is not listed", each(func(f *flawed) {
		f.streams = func(ctx context.Context, prefix string) ([]string, error) {
			names, err := f.Driver.Streams(ctx, prefix)
			return slices.DeleteFunc(names, f.truncated), err
		}
	})},

	{"a new subscriber is fed what replaced the rest", "a new subscriber is not fed what was there when a stream was truncated", each(func(f *flawed) {
		f.subscribe = f.feeding(func(after events.Checkpoint) func(events.Commit) []events.Commit {
			begun := events.Checkpoint(f.end.Load())
			return func(c events.Commit) []events.Commit {
				if after == 0 && c.Begins && c.Checkpoint <= begun {
					return nil
				}
				return []events.Commit{c}
			}
		})
	})},

	{"a subscriber that was there sees a replacement marked as one", "a replacement is fed without its mark", each(func(f *flawed) {
		f.subscribe = f.feeding(changed(func(c *events.Commit) { c.Begins = false }))
	})},

	{"the checkpoint of a commit that was forgotten still serves", "the checkpoint of a commit that was forgotten is refused", func(*lab) func(*flawed) {
		var mu sync.Mutex
		forgotten := map[events.Checkpoint]bool{}
		return func(f *flawed) {
			f.truncate = func(ctx context.Context, stream string, before uint64) error {
				mu.Lock()
				defer mu.Unlock()
				for _, c := range f.commits(stream) {
					forgotten[c.Checkpoint] = c.Version() <= before
				}
				return f.Driver.Truncate(ctx, stream, before)
			}
			f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
				mu.Lock()
				defer mu.Unlock()
				if forgotten[after] {
					return nil, fmt.Errorf("subscribe to streams %q: checkpoint %d is gone", prefix, after)
				}
				return f.Driver.Subscribe(ctx, prefix, after)
			}
		}
	}},
}
