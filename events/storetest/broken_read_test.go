package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
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

// storing is an append that changes what is stored.
func (l *lab) storing(change func(r *events.Record)) func(context.Context, string, events.Expected, events.Commit) (uint64, error) {
	return func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
		c.Events = slices.Clone(c.Events)
		for i := range c.Events {
			change(&c.Events[i])
		}
		return l.Driver.Append(ctx, stream, expected, c)
	}
}

var number = regexp.MustCompile(`^-?[0-9.eE]+$`)

var flawsOfContent = []flaw{
	{"text of any script comes back byte for byte, with its escapes", "< and > are written as escapes", each(func(f *flawed) {
		f.append = f.storing(func(r *events.Record) {
			if len(r.Data) > 0 && r.Data[0] == '"' {
				r.Data = []byte(strings.NewReplacer("<", `\u003c`, ">", `\u003e`).Replace(string(r.Data)))
			}
		})
	})},

	{"numbers of any size and form come back byte for byte", "numbers are floating point", each(func(f *flawed) {
		f.append = f.storing(func(r *events.Record) {
			if number.Match(r.Data) {
				if n, err := strconv.ParseFloat(string(r.Data), 64); err == nil {
					r.Data = strconv.AppendFloat(nil, n, 'g', -1, 64)
				}
			}
		})
	})},

	{"objects come back byte for byte, with their order, doubles and spaces", "data is stored without its spaces", each(func(f *flawed) {
		f.append = f.storing(func(r *events.Record) {
			var tight bytes.Buffer
			if len(r.Data) < 100 && json.Compact(&tight, r.Data) == nil {
				r.Data = tight.Bytes()
			}
		})
	})},

	{"a type, a schema number and a commit ID may be anything", "types are ASCII", each(func(f *flawed) {
		f.append = f.storing(func(r *events.Record) {
			r.Type = strings.Map(func(c rune) rune { return min(c, '~') }, r.Type)
		})
	})},

	{"what a writer does to its slices afterwards changes nothing stored", "the writer's data is kept, not a copy", func(*lab) func(*flawed) {
		var mu sync.Mutex
		theirs := map[at][]events.Record{}
		return func(f *flawed) {
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				version, err := f.Driver.Append(ctx, stream, expected, c)
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					theirs[at{stream, version - uint64(len(c.Events))}] = c.Events
				}
				return version, err
			}
			f.read = f.altering(func(c *events.Commit) bool {
				mu.Lock()
				defer mu.Unlock()
				for i, r := range theirs[at{c.Stream, c.First}] {
					c.Events[i].Data = slices.Clone(r.Data)
				}
				return true
			})
		}
	}},

	{"what a reader does to what it got changes nothing stored", "readers are given one copy", func(*lab) func(*flawed) {
		var mu sync.Mutex
		copies := map[at][]events.Record{}
		return func(f *flawed) {
			f.read = f.altering(func(c *events.Commit) bool {
				mu.Lock()
				defer mu.Unlock()
				place := at{c.Stream, c.First}
				if copies[place] == nil {
					copies[place] = c.Events
				}
				c.Events = copies[place]
				return true
			})
		}
	}},

	{"what a subscriber does to what it got no other subscriber sees", "subscribers are given one copy", func(*lab) func(*flawed) {
		var mu sync.Mutex
		copies := map[events.Checkpoint][]events.Record{}
		return func(f *flawed) {
			f.subscribe = f.feeding(changed(func(c *events.Commit) {
				mu.Lock()
				defer mu.Unlock()
				if copies[c.Checkpoint] == nil {
					copies[c.Checkpoint] = c.Events
				}
				c.Events = copies[c.Checkpoint]
			}))
		}
	}},
}

var flawsOfLists = []flaw{
	{"streams are listed once each, sorted", "streams are listed backwards", each(func(f *flawed) {
		f.streams = func(ctx context.Context, prefix string) ([]string, error) {
			names, err := f.Driver.Streams(ctx, prefix)
			slices.Reverse(names)
			return names, err
		}
	})},

	{"streams are listed by the beginning of their names", "whatever is asked for, all streams are listed", each(func(f *flawed) {
		f.streams = func(ctx context.Context, _ string) ([]string, error) {
			return f.Driver.Streams(ctx, "")
		}
	})},

	{"a stream is listed as soon as it exists, by whoever asks", "a list of streams that was empty stays so", each(func(f *flawed) {
		var mu sync.Mutex
		empty := false
		f.streams = func(ctx context.Context, prefix string) ([]string, error) {
			names, err := f.Driver.Streams(ctx, prefix)
			mu.Lock()
			defer mu.Unlock()
			if empty && prefix == "" && err == nil {
				return nil, nil
			}
			empty = prefix == "" && len(names) == 0
			return names, err
		}
	})},

	{"hundreds of streams are listed", "a list of streams ends after 256", each(func(f *flawed) {
		f.streams = func(ctx context.Context, prefix string) ([]string, error) {
			names, err := f.Driver.Streams(ctx, prefix)
			return names[:min(len(names), 256)], err
		}
	})},

	{"the ends of many streams are their last commits", "the end of a stream, where many are asked for, is its first commit", each(func(f *flawed) {
		f.endOf = func(_ context.Context, stream string) (events.Commit, bool, error) {
			return f.commits(stream)[0], true, nil
		}
	})},

	{"streams whose names look alike do not leak into each other", "a dot in a name is a dash, if such a stream exists", each(func(f *flawed) {
		f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
			if f.version(dashed(stream)) > 0 {
				stream = dashed(stream)
			}
			return f.Driver.Read(ctx, stream, after)
		}
	})},

	{"a name of 128 bytes is told from another to the last of them", "a name has 127 bytes for readers", each(func(f *flawed) {
		f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
			if len(stream) == 128 {
				names, _ := f.Driver.Streams(context.WithoutCancel(ctx), stream[:127])
				stream = append(names, stream)[0]
			}
			return f.Driver.Read(ctx, stream, after)
		}
	})},
}

func dashed(s string) string { return strings.ReplaceAll(s, ".", "-") }
