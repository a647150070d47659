package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/deedrun/deed/events"
)

// at is a place in a stream.
type at struct {
	stream string
	first  uint64
}

// lax is an append that takes an expected version for any when right says so.
func (l *lab) lax(right func(stream string, want, version uint64) bool) func(context.Context, string, events.Expected, events.Commit) (uint64, error) {
	return func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
		if want, exact := expected.Version(); exact && right(stream, want, l.version(stream)) {
			expected = events.Any()
		}
		return l.Driver.Append(ctx, stream, expected, c)
	}
}

// conflicting is an append whose conflicts are changed.
func (l *lab) conflicting(change func(c *events.ConflictError)) func(context.Context, string, events.Expected, events.Commit) (uint64, error) {
	return func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
		version, err := l.Driver.Append(ctx, stream, expected, c)
		var conflict *events.ConflictError
		if errors.As(err, &conflict) {
			change(conflict)
		}
		return version, err
	}
}

var flawsOfVersions = []flaw{
	{"the version counts events, also when a commit has hundreds", "the number of events in a commit is a byte", each(func(f *flawed) {
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			version, err := f.Driver.Append(ctx, stream, expected, c)
			return version - uint64(len(c.Events)&^0xff), err
		}
	})},

	{"a stream that does not exist has version 0, whatever others have", "the end of a stream without events is the end of the log", each(func(f *flawed) {
		f.last = func(ctx context.Context, stream string) (events.Commit, bool, error) {
			c, ok, err := f.Driver.Last(ctx, stream)
			if err != nil || ok {
				return c, ok, err
			}
			names, _ := f.Driver.Streams(ctx, "")
			for _, other := range names {
				if last, _, _ := f.Driver.Last(ctx, other); uint64(last.Checkpoint) == f.end.Load() {
					return last, true, nil
				}
			}
			return c, false, nil
		}
	})},

	{"no stream is expected, or version 0, and there is one: refused", "version 0 means any version, while the stream has its first event", each(func(f *flawed) {
		f.append = f.lax(func(stream string, want, version uint64) bool {
			return want == 0 && version > 0 && f.commits(stream)[0].First == 0
		})
	})},

	{"a version is expected, and there is no stream: refused, and there is none after it", "a stream that does not exist is at any version", each(func(f *flawed) {
		f.append = f.lax(func(_ string, _, version uint64) bool { return version == 0 })
	})},

	{"a version ahead of the stream is refused", "a version ahead of the stream is good enough", each(func(f *flawed) {
		f.append = f.lax(func(_ string, want, version uint64) bool { return version > 0 && want > version })
	})},

	{"a version that the stream left long ago is refused", "only the low byte of the version is compared", each(func(f *flawed) {
		f.append = f.lax(func(_ string, want, version uint64) bool {
			return version > want && want > 0 && version%256 == want%256
		})
	})},

	{"a version in the middle of a commit is refused", "a version inside the last commit counts as its end", each(func(f *flawed) {
		f.append = f.lax(func(stream string, want, version uint64) bool {
			c, ok, _ := f.Driver.Last(context.Background(), stream)
			return ok && want > c.First && want < version
		})
	})},

	{"a conflict says of which stream, and what was expected", "a conflict has the actual version only", each(func(f *flawed) {
		f.append = f.conflicting(func(c *events.ConflictError) { c.Stream, c.Expected = "", events.Any() })
	})},

	{"the version that a conflict reports is accepted", "a conflict reports the version after the first event of the last commit", each(func(f *flawed) {
		f.append = f.conflicting(func(c *events.ConflictError) {
			if last, ok, _ := f.Driver.Last(context.Background(), c.Stream); ok {
				c.Actual = last.First + 1
			}
		})
	})},

	{"any version: the append makes the stream", "an append at any version needs a stream", each(func(f *flawed) {
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			if _, exact := expected.Version(); !exact && f.version(stream) == 0 {
				return 0, fmt.Errorf("append to stream %q: no such stream", stream)
			}
			return f.Driver.Append(ctx, stream, expected, c)
		}
	})},

	{"any version: the append follows whatever is there, whoever wrote it", "an append at any version hides the event that another store wrote since its own last one", func(*lab) func(*flawed) {
		var mu sync.Mutex
		hidden := map[at]bool{}
		return func(f *flawed) {
			known := map[string]uint64{} // version that this store made
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				mu.Lock()
				defer mu.Unlock()
				before := f.version(stream)
				version, err := f.Driver.Append(ctx, stream, expected, c)
				if err != nil {
					return version, err
				}
				if _, exact := expected.Version(); !exact && known[stream] > 0 && known[stream] == before-1 {
					hidden[at{stream, known[stream]}] = true
				}
				known[stream] = version
				return version, err
			}
			f.read = f.altering(func(c *events.Commit) bool {
				mu.Lock()
				defer mu.Unlock()
				return !hidden[at{c.Stream, c.First}]
			})
		}
	}},
}
