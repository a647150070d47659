package mem_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/queue/queuetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const tooLarge = 2<<20 + 1

// clock is a clock that only a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestQueueWithAnInjectedClock(t *testing.T) {
	queuetest.RunQueue(t, func(_ *testing.T, lease time.Duration) queuetest.World {
		c := &clock{now: time.Unix(0, 0)}
		q := mem.NewQueue(mem.Options{MaxBody: tooLarge - 1, Lease: lease, Now: c.Now})
		return queuetest.World{A: q, B: q, Advance: c.Advance, TooLarge: tooLarge}
	})
}

func TestQueueThatWaitsForItsLeases(t *testing.T) {
	queuetest.RunQueueIn(t, synctest.Test, func(_ *testing.T, lease time.Duration) queuetest.World {
		q := mem.NewQueue(mem.Options{MaxBody: tooLarge - 1, Lease: lease})
		return queuetest.World{A: q, B: q, TooLarge: tooLarge}
	})
}

func TestLanes(t *testing.T) {
	queuetest.RunLanes(t, func(_ *testing.T, lease time.Duration) queuetest.World {
		c := &clock{now: time.Unix(0, 0)}
		q := mem.NewQueue(mem.Options{Lease: lease, Now: c.Now})
		return queuetest.World{A: q, B: q, Advance: c.Advance}
	})
}

func TestShardedWithAnInjectedClock(t *testing.T) {
	queuetest.RunSharded(t, func(_ *testing.T, lease time.Duration) queuetest.World {
		c := &clock{now: time.Unix(0, 0)}
		q := mem.NewSharded(mem.Options{Lease: lease, Now: c.Now})
		return queuetest.World{A: q, B: q.Consumer(), Advance: c.Advance, Kill: q.Kill}
	})
}

func TestShardedThatWaitsForItsLeasesAndForTheDead(t *testing.T) {
	queuetest.RunShardedIn(t, synctest.Test, func(_ *testing.T, lease time.Duration) queuetest.World {
		q := mem.NewSharded(mem.Options{Lease: lease})
		return queuetest.World{A: q, B: q.Consumer(), Kill: q.Kill}
	})
}

func TestSignals(t *testing.T) {
	queuetest.RunSignals(t, func(*testing.T) (a, b queue.Signals) {
		s := mem.NewSignals()
		return s, s
	})
}

func TestQueueOrder(t *testing.T) {
	bodies := func(t *testing.T, q *mem.Queue, max int) []string {
		got, err := q.Receive(t.Context(), max, 0)
		require.NoError(t, err)
		var out []string
		for _, d := range got {
			out = append(out, string(d.Body))
		}
		return out
	}
	send := func(t *testing.T, q *mem.Queue, bodies ...string) {
		for _, b := range bodies {
			require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k", Body: []byte(b)}))
		}
	}

	t.Run("what ran out leaves before what is new, the lease that ended first at the head", func(t *testing.T) {
		c := &clock{now: time.Unix(0, 0)}
		q := mem.NewQueue(mem.Options{Lease: time.Minute, Now: c.Now})
		send(t, q, "a", "b", "c", "d")
		assert.Equal(t, []string{"a"}, bodies(t, q, 1))
		c.Advance(time.Second)
		assert.Equal(t, []string{"b", "c"}, bodies(t, q, 2))
		c.Advance(time.Minute)
		assert.Equal(t, []string{"a", "b", "c", "d"}, bodies(t, q, 10))
	})

	t.Run("an extended lease ends after those that were not", func(t *testing.T) {
		c := &clock{now: time.Unix(0, 0)}
		q := mem.NewQueue(mem.Options{Lease: time.Minute, Now: c.Now})
		send(t, q, "a", "b")
		held, err := q.Receive(t.Context(), 2, 0)
		require.NoError(t, err)
		c.Advance(time.Second)
		require.NoError(t, q.Extend(t.Context(), held[0]))
		c.Advance(time.Hour)
		assert.Equal(t, []string{"b", "a"}, bodies(t, q, 10))
	})

	t.Run("an Extend by who lost the message does not lengthen the lease of who holds it", func(t *testing.T) {
		c := &clock{now: time.Unix(0, 0)}
		q := mem.NewQueue(mem.Options{Lease: time.Minute, Now: c.Now})
		send(t, q, "a")
		lost, err := q.Receive(t.Context(), 1, 0)
		require.NoError(t, err)
		c.Advance(time.Minute)
		assert.Equal(t, []string{"a"}, bodies(t, q, 1))
		c.Advance(30 * time.Second)
		require.NoError(t, q.Extend(t.Context(), lost...))
		c.Advance(30 * time.Second)
		assert.Equal(t, []string{"a"}, bodies(t, q, 1))
	})

	t.Run("the lease is 10 seconds unless it is chosen", func(t *testing.T) {
		assert.Equal(t, 10*time.Second, mem.NewQueue(mem.Options{}).Lease())
	})
}

func TestReceiveWaitsForALeaseToRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mem.NewQueue(mem.Options{Lease: 10 * time.Second})
		require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k"}))
		_, err := q.Receive(t.Context(), 1, 0)
		require.NoError(t, err)

		began := time.Now()
		again, err := q.Receive(t.Context(), 1, time.Hour)
		require.NoError(t, err)
		require.Len(t, again, 1)
		assert.Equal(t, 2, again[0].Count)
		assert.Equal(t, 10*time.Second, time.Since(began))
	})
}
