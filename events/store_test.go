package events_test

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
)

func note(text string) events.Record {
	return events.Record{Type: "Noted", Data: fmt.Appendf(nil, "%q", text)}
}

// faulty is a backend whose answers go wrong.
type faulty struct {
	events.Driver
	loseAnswers int  // of Append, after it was done
	lastFails   bool // Last cannot be asked
	history     []events.Commit
}

func (f *faulty) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	version, err := f.Driver.Append(ctx, stream, expected, c)
	if err == nil && f.loseAnswers > 0 {
		f.loseAnswers--
		return 0, fmt.Errorf("append to stream %q: %w", stream, events.ErrUnavailable)
	}
	return version, err
}

func (f *faulty) Last(ctx context.Context, stream string) (events.Commit, bool, error) {
	if f.lastFails {
		return events.Commit{}, false, events.ErrUnavailable
	}
	return f.Driver.Last(ctx, stream)
}

func (f *faulty) Read(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	if f.history == nil {
		return f.Driver.Read(ctx, stream, after)
	}
	return func(yield func(events.Commit, error) bool) {
		for _, c := range f.history {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func TestLostAnswers(t *testing.T) {
	t.Run("an append whose answer is lost again and again is stored once", func(t *testing.T) {
		s := events.New(&faulty{Driver: mem.New(), loseAnswers: 1})
		_, err := s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"), note("y"))
		require.ErrorIs(t, err, events.ErrUnavailable)
		for range 3 {
			version, err := s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"), note("y"))
			require.NoError(t, err)
			assert.EqualValues(t, 2, version)
		}
	})

	t.Run("when whose commit won cannot be found out, the append is unavailable, not a conflict", func(t *testing.T) {
		f := &faulty{Driver: mem.New(), loseAnswers: 1}
		s := events.New(f)
		_, err := s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"))
		require.ErrorIs(t, err, events.ErrUnavailable)
		f.lastFails = true
		_, err = s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"))
		require.ErrorIs(t, err, events.ErrUnavailable)
		var conflict *events.ConflictError
		assert.NotErrorAs(t, err, &conflict)
		f.lastFails = false
		version, err := s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"))
		require.NoError(t, err)
		assert.EqualValues(t, 1, version)
	})
}

func TestDamagedHistory(t *testing.T) {
	commit := func(id string, first uint64, count int) events.Commit {
		c := events.Commit{ID: id, Stream: "a", First: first}
		for range count {
			c.Events = append(c.Events, note("x"))
		}
		return c
	}
	for name, c := range map[string]struct {
		after   uint64
		history []events.Commit
		says    string
		before  int // events read before the error
	}{
		"a commit is missing":                  {0, []events.Commit{commit("c1", 0, 2), commit("c3", 3, 1)}, `commit "c3" holds events 4 to 4 where event 3 comes next`, 2},
		"the first commit is missing":          {0, []events.Commit{commit("c2", 2, 2)}, `commit "c2" holds events 3 to 4 where event 1 comes next`, 0},
		"a commit is there twice":              {0, []events.Commit{commit("c1", 0, 2), commit("c1", 0, 2)}, "where event 3 comes next", 2},
		"a commit overlaps the one before it":  {0, []events.Commit{commit("c1", 0, 2), commit("c2", 1, 3)}, "holds events 2 to 4 where event 3 comes next", 2},
		"the backend begins before the answer": {5, []events.Commit{commit("c1", 0, 2)}, "where event 6 comes next", 0},
	} {
		t.Run(name+": an error that names the place, after the events before it", func(t *testing.T) {
			s := events.New(&faulty{Driver: mem.New(), history: c.history})
			var last error
			count := 0
			for _, err := range s.Read(t.Context(), "a", c.after) {
				if err == nil {
					require.NoError(t, last)
					count++
				}
				last = err
			}
			assert.ErrorContains(t, last, c.says)
			assert.ErrorContains(t, last, `read stream "a"`)
			assert.Equal(t, c.before, count)
		})
	}
}

func TestEventIDs(t *testing.T) {
	t.Run("they never change, since they are known outside", func(t *testing.T) {
		s := events.New(mem.New())
		_, err := s.Append(t.Context(), "a", events.NoStream(), "commit-1", note("x"), note("y"))
		require.NoError(t, err)
		var ids []string
		for e, err := range s.Read(t.Context(), "a", 0) {
			require.NoError(t, err)
			ids = append(ids, e.ID)
		}
		assert.Equal(t, []string{"804a3cfc-fce5-5c24-b1b8-f3ee25740e05", "287f7f7d-c3df-5f2d-b36c-de477cbb5798"}, ids)
	})
}
