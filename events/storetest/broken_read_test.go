package storetest

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/deedrun/deed/events"
)

// from is a read that begins where place says, given all commits of the stream.
func (l *lab) from(place func(list []events.Commit, after uint64) int) func(context.Context, string, uint64) iter.Seq2[events.Commit, error] {
	return func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
		list := l.commits(stream)
		begin := place(list, after)
		if ctx.Err() != nil || begin < 0 {
			return l.Driver.Read(ctx, stream, after)
		}
		return yielding(list[min(begin, len(list)):])
	}
}

var flawsOfReads = []flaw{
	{"events come back in order, as they were written, numbered from 1", "all events of a commit have the type of the first", each(func(f *flawed) {
		f.read = f.altering(func(c *events.Commit) bool {
			for i := range c.Events {
				c.Events[i].Type = c.Events[0].Type
			}
			return true
		})
	})},

	{"an event has one ID for ever, whoever reads it, and no two have the same", "who did not write a commit makes up an ID for it", each(func(f *flawed) {
		var mu sync.Mutex
		mine := map[string]bool{}
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			mu.Lock()
			mine[c.ID] = true
			mu.Unlock()
			return f.Driver.Append(ctx, stream, expected, c)
		}
		f.read = f.altering(func(c *events.Commit) bool {
			mu.Lock()
			defer mu.Unlock()
			if !mine[c.ID] {
				c.ID += "'"
			}
			return true
		})
	})},

	{"a stream that does not exist has no events, and that is no error", "a read of a stream that does not exist fails", each(func(f *flawed) {
		f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
			if f.version(stream) == 0 {
				return func(yield func(events.Commit, error) bool) {
					yield(events.Commit{}, fmt.Errorf("no stream %q", stream))
				}
			}
			return f.Driver.Read(ctx, stream, after)
		}
	})},

	{"a read after a commit begins with the next one", "all commits are taken to be as large as the first", each(func(f *flawed) {
		f.read = f.from(func(list []events.Commit, after uint64) int {
			if len(list) == 0 || after >= list[len(list)-1].Version() || list[0].First > 0 {
				return -1
			}
			return int(after) / len(list[0].Events)
		})
	})},

	{"a read from the middle of a commit gives the rest of it; by commits it is given whole", "a read from the middle of a commit begins with the next one", each(func(f *flawed) {
		f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
			return f.altering(func(c *events.Commit) bool { return c.First >= after })(ctx, stream, after)
		}
	})},

	{"a read after the last event, or beyond, gives nothing", "a read from the end gives the last commit again", each(func(f *flawed) {
		f.read = f.from(func(list []events.Commit, after uint64) int {
			if len(list) == 0 || after < list[len(list)-1].Version() {
				return -1
			}
			return len(list) - 1
		})
	})},

	{"a reader may stop early, and read again", "a reader that stops early keeps its place", each(func(f *flawed) {
		place := newTurn()
		f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
			return func(yield func(events.Commit, error) bool) {
				select {
				case place <- struct{}{}:
				case <-ctx.Done():
					yield(events.Commit{}, ctx.Err())
					return
				}
				for c, err := range f.Driver.Read(ctx, stream, after) {
					if !yield(c, err) && err == nil {
						return
					}
				}
				place.give()
			}
		}
	})},

	{"a long stream is read whole, and from anywhere, between others", "a read ends after 256 commits", each(func(f *flawed) {
		f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
			return func(yield func(events.Commit, error) bool) {
				count := 0
				for c, err := range f.Driver.Read(ctx, stream, after) {
					if count++; count > 256 || !yield(c, err) {
						return
					}
				}
			}
		}
	})},

	{"the last commit is read whole, however long the stream", "the last commit has the data of its last event only", each(func(f *flawed) {
		f.last = func(ctx context.Context, stream string) (events.Commit, bool, error) {
			c, ok, err := f.Driver.Last(ctx, stream)
			for i := 1; i < len(c.Events); i++ {
				c.Events[i-1] = events.Record{}
			}
			return c, ok, err
		}
	})},

	{"the checkpoint of the last commit is the one that subscribers are given", "the last commit has no checkpoint", each(func(f *flawed) {
		f.last = func(ctx context.Context, stream string) (events.Commit, bool, error) {
			c, ok, err := f.Driver.Last(ctx, stream)
			c.Checkpoint = 0
			return c, ok, err
		}
	})},

	{"the checkpoints of commits that are read are those that subscribers are given", "a commit that is read has its place in the stream as checkpoint", each(func(f *flawed) {
		f.read = f.altering(func(c *events.Commit) bool {
			c.Checkpoint = events.Checkpoint(c.Version())
			return true
		})
	})},
}
