package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/deedrun/deed/events"
)

// swaps is the content of commits that another one wrote over.
type swaps struct {
	mu     sync.Mutex
	moment int
	stored map[at]int // when
	over   map[at][]events.Record
}

func newSwaps() *swaps { return &swaps{stored: map[at]int{}, over: map[at][]events.Record{}} }

func (s *swaps) now() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moment++
	return s.moment
}

func (s *swaps) put(place at) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moment++
	s.stored[place] = s.moment
}

// write puts records over a commit that was stored since a moment.
func (s *swaps) write(place at, since int, records []events.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stored[place] > since {
		s.over[place] = records
	}
}

func (s *swaps) alter(c *events.Commit) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if records, ok := s.over[at{c.Stream, c.First}]; ok {
		c.Events = records
	}
	return true
}

var flawsOfRaces = []flaw{
	{"of many who append at one version exactly one wins, and its event is the one stored", "who loses a race is told so, and has written over the winner", func(*lab) func(*flawed) {
		s := newSwaps()
		return func(f *flawed) {
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				began := s.now()
				time.Sleep(time.Millisecond)
				version, err := f.Driver.Append(ctx, stream, expected, c)
				var conflict *events.ConflictError
				if err == nil {
					s.put(at{stream, version - uint64(len(c.Events))})
				} else if errors.As(err, &conflict) {
					s.write(at{stream, c.First}, began, c.Events)
				}
				return version, err
			}
			f.read = f.altering(s.alter)
		}
	}},

	{"of many who append at any version each is stored, whole", "of two who append at any version at once one is stored twice", func(*lab) func(*flawed) {
		s := newSwaps()
		return func(f *flawed) {
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				if _, exact := expected.Version(); exact {
					return f.Driver.Append(ctx, stream, expected, c)
				}
				began := s.now()
				time.Sleep(time.Millisecond)
				version, err := f.Driver.Append(ctx, stream, expected, c)
				if err == nil {
					place := at{stream, version - uint64(len(c.Events))}
					s.put(place)
					s.write(at{stream, place.first - uint64(len(c.Events))}, began, c.Events)
				}
				return version, err
			}
			f.read = f.altering(s.alter)
		}
	}},

	{"appends to different streams do not get into each other's way", "no more than six streams are written to at a time", func(*lab) func(*flawed) {
		var mu sync.Mutex
		under := map[string]int{}
		return func(f *flawed) {
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				mu.Lock()
				under[stream]++
				many := len(under)
				mu.Unlock()
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					if under[stream]--; under[stream] == 0 {
						delete(under, stream)
					}
				}()
				time.Sleep(time.Millisecond)
				if many > 6 {
					return 0, fmt.Errorf("append to stream %q: %w", stream, events.ErrUnavailable)
				}
				return f.Driver.Append(ctx, stream, expected, c)
			}
		}
	}},

	{"racing appends and reads of the version are linearizable", "an append checks the version, and then one at any version slips in", func(*lab) func(*flawed) {
		lock := newTurn()
		return func(f *flawed) {
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				want, exact := expected.Version()
				if !exact {
					time.Sleep(time.Millisecond * 7 / 10)
					return f.Driver.Append(ctx, stream, expected, c)
				}
				lock.take()
				defer lock.give()
				if f.version(stream) == want {
					time.Sleep(time.Millisecond)
					expected = events.Any()
				}
				return f.Driver.Append(ctx, stream, expected, c)
			}
		}
	}},

	{"what one store wrote the others read at once", "a store reads again what it remembers of a stream", each(func(f *flawed) {
		var mu sync.Mutex
		known := map[string][]events.Commit{}
		f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
			version, err := f.Driver.Append(ctx, stream, expected, c)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				delete(known, stream)
			}
			return version, err
		}
		f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
			mu.Lock()
			defer mu.Unlock()
			if list := known[stream]; ctx.Err() == nil && after == 0 && len(list) > 0 {
				return yielding(list)
			}
			if after == 0 {
				known[stream] = f.commits(stream)
			}
			return f.Driver.Read(ctx, stream, after)
		}
	})},

	{"a reader beside a writer sees whole commits, in order, and never fewer than before", "a reader sees the first event of a commit before the others", func(*lab) func(*flawed) {
		var mu sync.Mutex
		half := map[at]bool{}
		return func(f *flawed) {
			f.append = func(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
				version, err := f.Driver.Append(ctx, stream, expected, c)
				if err != nil || len(c.Events) < 2 {
					return version, err
				}
				place := at{stream, version - uint64(len(c.Events))}
				set := func(under bool) {
					mu.Lock()
					defer mu.Unlock()
					half[place] = under
				}
				set(true)
				time.Sleep(time.Millisecond)
				set(false)
				return version, err
			}
			f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
				time.Sleep(time.Millisecond / 10)
				mu.Lock()
				under := map[at]bool{}
				for place, is := range half {
					under[place] = is
				}
				mu.Unlock()
				return f.altering(func(c *events.Commit) bool {
					if under[at{c.Stream, c.First}] {
						c.Events = c.Events[:1]
					}
					return true
				})(ctx, stream, after)
			}
		}
	}},
}
