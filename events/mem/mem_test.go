package mem_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/events/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func backend(testing.TB) func() *events.Store {
	d := mem.New()
	return func() *events.Store { return events.New(d) }
}

func TestStore(t *testing.T) { storetest.Run(t, backend) }

func BenchmarkStore(b *testing.B) { storetest.Bench(b, backend) }

func note(text string) events.Record {
	return events.Record{Type: "Noted", Data: []byte(`"` + text + `"`)}
}

func TestOneGoroutine(t *testing.T) {
	t.Run("what was appended is ready at once, so one goroutine can drive a store", func(t *testing.T) {
		s := events.New(mem.New())
		sub, err := s.Subscribe(t.Context(), "a", 0)
		require.NoError(t, err)
		for i := range uint64(100) {
			_, ready, err := sub.Next(t.Context(), false)
			require.NoError(t, err)
			require.False(t, ready)
			_, err = s.Append(t.Context(), "a", events.Exactly(i), "c", note("x"))
			require.NoError(t, err)
			c, ready, err := sub.Next(t.Context(), false)
			require.NoError(t, err)
			require.True(t, ready)
			require.Equal(t, i, c.First)
		}
	})
}

func TestBubble(t *testing.T) {
	t.Run("in a bubble of synctest a waiting subscriber is idle until the append", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := events.New(mem.New())
			sub, err := s.Subscribe(t.Context(), "", 0)
			require.NoError(t, err)
			got := make(chan events.Commit, 1)
			go func() {
				c, _, err := sub.Next(t.Context(), true)
				assert.NoError(t, err)
				got <- c
			}()
			synctest.Wait()
			assert.Empty(t, got)
			time.Sleep(time.Hour) // of the bubble's clock
			_, err = s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"))
			require.NoError(t, err)
			synctest.Wait()
			assert.Equal(t, "c1", (<-got).ID)

			brief, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, _, err = sub.Next(brief, true)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
		})
	})
}

func TestClose(t *testing.T) {
	t.Run("a store opened over the same driver after a close finds everything", func(t *testing.T) {
		d := mem.New()
		s := events.New(d)
		_, err := s.Append(t.Context(), "a", events.NoStream(), "c1", note("x"))
		require.NoError(t, err)
		require.NoError(t, s.Close())
		version, err := events.New(d).Version(t.Context(), "a")
		require.NoError(t, err)
		assert.EqualValues(t, 1, version)
	})
}
