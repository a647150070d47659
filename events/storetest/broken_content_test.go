package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/deedrun/deed/events"
)

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
