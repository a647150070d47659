package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/deedrun/deed/events"
)

var flawsOfRetries = []flaw{
	{"an append repeated because its answer was lost succeeds again and writes nothing", "a commit of several events that comes again is written again", each(func(f *flawed) {
		var mu sync.Mutex
		written := map[string]events.Commit{}
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			mu.Lock()
			defer mu.Unlock()
			if last, ok := written[stream]; ok && len(c.Events) > 1 && last.ID == c.ID && last.First == c.First {
				expected = events.Any()
			}
			version, err := f.Driver.Append(ctx, stream, expected, c)
			if err == nil && len(c.Events) > 1 {
				written[stream] = c
			}
			return version, err
		}
	})},

	{"the repeat may come from another process", "a commit's ID is known to the process that wrote it", each(func(f *flawed) {
		var mu sync.Mutex
		mine := map[string]bool{}
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			version, err := f.Driver.Append(ctx, stream, expected, c)
			if err == nil {
				mu.Lock()
				mine[stream+" "+c.ID] = true
				mu.Unlock()
			}
			return version, err
		}
		f.last = func(ctx context.Context, stream string) (events.Commit, bool, error) {
			c, ok, err := f.Driver.Last(ctx, stream)
			mu.Lock()
			defer mu.Unlock()
			if !mine[stream+" "+c.ID] {
				c.ID = ""
			}
			return c, ok, err
		}
	})},

	{"a repeat of a commit that another one followed is a conflict", "a repeat succeeds whatever followed", each(func(f *flawed) {
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			for _, stored := range f.commits(stream) {
				if want, exact := expected.Version(); exact && stored.ID == c.ID && stored.First == want && stored.Version() < f.version(stream) {
					return stored.Version(), nil
				}
			}
			return f.Driver.Append(ctx, stream, expected, c)
		}
	})},

	{"the same commit ID at another version is another append", "a commit with the ID of the last one is taken for it", each(func(f *flawed) {
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			if last, ok, _ := f.Driver.Last(ctx, stream); ok && last.ID == c.ID {
				return last.Version(), nil
			}
			return f.Driver.Append(ctx, stream, expected, c)
		}
	})},

	{"the same commit ID on another stream is another append", "a commit ID is taken for a repeat on whatever stream", func(*lab) func(*flawed) {
		var mu sync.Mutex
		seen := map[string]string{}
		return func(f *flawed) {
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				mu.Lock()
				defer mu.Unlock()
				if first, ok := seen[c.ID]; ok && first != stream {
					return c.Version(), nil
				}
				seen[c.ID] = stream
				return f.Driver.Append(ctx, stream, expected, c)
			}
		}
	}},

	{"an append and its repeat at once both succeed, and are stored once", "a repeat is refused while the append is under way", func(*lab) func(*flawed) {
		var mu sync.Mutex
		under := map[string]bool{}
		return func(f *flawed) {
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				key := stream + " " + c.ID
				mu.Lock()
				twice := under[key]
				under[key] = true
				mu.Unlock()
				if twice {
					return 0, fmt.Errorf("append to stream %q: commit %q is being written", stream, c.ID)
				}
				time.Sleep(time.Millisecond)
				defer func() {
					mu.Lock()
					delete(under, key)
					mu.Unlock()
				}()
				return f.Driver.Append(ctx, stream, expected, c)
			}
		}
	}},

	{"an append that was given up may be repeated: then it is stored, once", "a commit ID counts as seen before the commit is stored", func(*lab) func(*flawed) {
		var mu sync.Mutex
		seen := map[string]bool{}
		return func(f *flawed) {
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				mu.Lock()
				again := seen[stream+" "+c.ID]
				if ctx.Err() != nil {
					seen[stream+" "+c.ID] = true
				}
				mu.Unlock()
				if again {
					return c.Version(), nil
				}
				return f.Driver.Append(ctx, stream, expected, c)
			}
		}
	}},
}
