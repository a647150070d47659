package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deedrun/deed/events"
)

// catching subscribes, with whether the subscriber has caught up said to next:
// it has when there was nothing to give, or nothing was stored at the beginning.
func (l *lab) catching(next func(ctx context.Context, inner events.Subscription, stored events.Checkpoint, live *bool, wait bool) (events.Commit, bool, error)) func(context.Context, string, events.Checkpoint) (events.Subscription, error) {
	return func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
		inner, err := l.Driver.Subscribe(ctx, prefix, after)
		if err != nil {
			return nil, err
		}
		stored := events.Checkpoint(l.end.Load())
		live := stored <= after
		return &feed{Subscription: inner, next: func(ctx context.Context, wait bool) (events.Commit, bool, error) {
			return next(ctx, inner, stored, &live, wait)
		}}, nil
	}
}

// ghosts are commits that were refused, and after which checkpoint they are fed.
type ghosts struct {
	mu  sync.Mutex
	all map[events.Checkpoint][]events.Commit
}

// haunted feeds commits that were not stored: those for which is says so, given
// the last commit of the stream.
func haunted(is func(c, last events.Commit) bool) func(*lab) func(*flawed) {
	return func(*lab) func(*flawed) {
		g := ghosts{all: map[events.Checkpoint][]events.Commit{}}
		return func(f *flawed) {
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				version, err := f.Driver.Append(ctx, stream, expected, c)
				var conflict *events.ConflictError
				last, _, _ := f.Driver.Last(ctx, stream)
				if errors.As(err, &conflict) && is(c, last) {
					g.mu.Lock()
					defer g.mu.Unlock()
					g.all[last.Checkpoint] = append(g.all[last.Checkpoint], c)
				}
				return version, err
			}
			f.subscribe = f.feeding(func(events.Checkpoint) func(events.Commit) []events.Commit {
				return func(c events.Commit) []events.Commit {
					g.mu.Lock()
					defer g.mu.Unlock()
					return append([]events.Commit{c}, g.all[c.Checkpoint]...)
				}
			})
		}
	}
}

var flawsOfFeeds = []flaw{
	{"what is appended while a subscriber catches up follows without a gap", "a subscriber that has caught up goes on at the end of the log", each(func(f *flawed) {
		until := map[events.Subscription]events.Checkpoint{}
		var mu sync.Mutex
		f.subscribe = f.catching(func(ctx context.Context, inner events.Subscription, stored events.Checkpoint, live *bool, wait bool) (events.Commit, bool, error) {
			for {
				c, ready, err := inner.Next(ctx, false)
				if err == nil && !ready {
					*live = true
					if c, ready, err = inner.Next(ctx, wait); err == nil && !ready {
						return c, false, nil
					}
				}
				mu.Lock()
				if !*live && c.Checkpoint > stored {
					*live, until[inner] = true, events.Checkpoint(f.end.Load())
				}
				gone := err == nil && c.Checkpoint <= until[inner]
				mu.Unlock()
				if !gone {
					return c, ready, err
				}
			}
		})
	})},

	{"what is appended after a subscriber caught up follows without a repeat", "the last commit of the catch-up comes again before the first after it", each(func(f *flawed) {
		type held struct{ last, first *events.Commit }
		var mu sync.Mutex
		of := map[events.Subscription]*held{}
		f.subscribe = f.catching(func(ctx context.Context, inner events.Subscription, stored events.Checkpoint, live *bool, wait bool) (events.Commit, bool, error) {
			mu.Lock()
			h := of[inner]
			if h == nil {
				h = &held{}
				of[inner] = h
			}
			mu.Unlock()
			if h.first != nil {
				c := *h.first
				h.first = nil
				return c, true, nil
			}
			c, ready, err := inner.Next(ctx, false)
			idle := err == nil && !ready
			if idle && wait {
				c, ready, err = inner.Next(ctx, true)
			}
			switch {
			case err != nil || !ready:
				if idle && h.last != nil {
					*live = true
				}
			case c.Checkpoint <= stored:
				h.last = &c
			case *live && h.last != nil:
				again := *h.last
				h.first, h.last = &c, nil
				return again, true, nil
			}
			return c, ready, err
		})
	})},

	{"who does not wait is fed all that was stored before hearing that there is no more", "who does not wait is fed what has arrived, which is nothing at first", each(func(f *flawed) {
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			inner, err := f.Driver.Subscribe(ctx, prefix, after)
			if err != nil {
				return nil, err
			}
			var asked atomic.Bool
			return &feed{Subscription: inner, next: func(ctx context.Context, wait bool) (events.Commit, bool, error) {
				if !asked.Swap(true) && !wait && ctx.Err() == nil {
					return events.Commit{}, false, nil
				}
				return inner.Next(ctx, wait)
			}}, nil
		}
	})},

	{"a commit is fed as it was written", "a commit is fed without schema numbers", each(func(f *flawed) {
		f.subscribe = f.feeding(changed(func(c *events.Commit) {
			for i := range c.Events {
				c.Events[i].Schema = 0
			}
		}))
	})},

	{"while many append, a waiting subscriber misses no commit and has each stream in order", "a subscriber that is woken is given the newest commit", each(func(f *flawed) {
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			inner, err := f.Driver.Subscribe(ctx, prefix, after)
			if err != nil {
				return nil, err
			}
			return &feed{Subscription: inner, next: func(ctx context.Context, wait bool) (events.Commit, bool, error) {
				c, ready, err := inner.Next(ctx, false)
				if ready || err != nil || !wait {
					return c, ready, err
				}
				c, ready, err = inner.Next(ctx, true)
				time.Sleep(time.Millisecond)
				for ready && err == nil {
					newer, more, failed := inner.Next(ctx, false)
					if !more || failed != nil {
						break
					}
					c = newer
				}
				return c, ready, err
			}}, nil
		}
	})},

	{"all subscribers see one order, whoever wrote", "what a store wrote itself it feeds before what others wrote", each(func(f *flawed) {
		var mu sync.Mutex
		mine := map[string]bool{}
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			mu.Lock()
			mine[stream+" "+c.ID] = true
			mu.Unlock()
			return f.Driver.Append(ctx, stream, expected, c)
		}
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			inner, err := f.Driver.Subscribe(ctx, prefix, after)
			if err != nil {
				return nil, err
			}
			var ready []events.Commit
			return &feed{Subscription: inner, next: func(ctx context.Context, wait bool) (events.Commit, bool, error) {
				for {
					c, more, err := inner.Next(ctx, wait && len(ready) == 0)
					if err != nil || !more && len(ready) == 0 {
						return c, more, err
					}
					if more {
						ready = append(ready, c)
						continue
					}
					mu.Lock()
					own := slices.IndexFunc(ready, func(c events.Commit) bool { return mine[c.Stream+" "+c.ID] })
					mu.Unlock()
					c = ready[max(own, 0)]
					ready = slices.Delete(ready, max(own, 0), max(own, 0)+1)
					return c, true, nil
				}
			}}, nil
		}
	})},

	{"only the streams with the prefix are fed", "a dash in a prefix stands for a dot as well", each(func(f *flawed) {
		f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
			return f.feeding(func(events.Checkpoint) func(events.Commit) []events.Commit {
				return func(c events.Commit) []events.Commit {
					if !strings.HasPrefix(dashed(c.Stream), dashed(prefix)) {
						return nil
					}
					return []events.Commit{c}
				}
			})(ctx, "", after)
		}
	})},

	{"a refused append is not fed", "a refused append is fed", haunted(func(c, last events.Commit) bool { return c.ID != last.ID })},

	{"a repeated append is fed once", "a repeated append is fed again", haunted(func(c, last events.Commit) bool { return c.ID == last.ID })},

	{"a subscriber that is hundreds of commits behind loses none", "for a subscriber the last 256 commits are kept", each(func(f *flawed) {
		f.subscribe = f.feeding(func(events.Checkpoint) func(events.Commit) []events.Commit {
			return func(c events.Commit) []events.Commit {
				if uint64(c.Checkpoint)+256 <= f.end.Load() {
					return nil
				}
				return []events.Commit{c}
			}
		})
	})},

	{"a subscriber that is megabytes behind delays no writer", "an append waits for a subscriber that is two megabytes behind", func(*lab) func(*flawed) {
		var behind atomic.Int64
		var fed atomic.Bool
		return func(f *flawed) {
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				for fed.Load() && behind.Load() > 2<<20 {
					select {
					case <-ctx.Done():
						return 0, ctx.Err()
					case <-time.After(time.Second):
					}
				}
				version, err := f.Driver.Append(ctx, stream, expected, c)
				if err == nil && fed.Load() {
					behind.Add(int64(sizeOf(c)))
				}
				return version, err
			}
			feeding := f.feeding(changed(func(c *events.Commit) { behind.Add(-int64(sizeOf(*c))) }))
			f.subscribe = func(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
				fed.Store(true)
				return feeding(ctx, prefix, after)
			}
		}
	}},

	{"a commit of a megabyte is fed whole", "an event is fed up to 600 KB", each(func(f *flawed) {
		f.subscribe = f.feeding(changed(func(c *events.Commit) {
			for i, r := range c.Events {
				c.Events[i].Data = r.Data[:min(len(r.Data), 600_000)]
			}
		}))
	})},
}
