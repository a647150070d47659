package queuetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

func runBrowsing(s suite) {
	s.run("browsing lists messages in the order they were stored, and takes none of them", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, queue.Message{Key: "a", Body: []byte("0")}, queue.Message{Key: "b", Body: []byte("1")})
		send(t, w.A, queue.Message{Key: "a", Body: []byte("2")})

		for range 2 {
			got := browse(t, w.B, 0, 10)
			require.Len(t, got, 3)
			assert.Equal(t, []string{"a", "b", "a"}, []string{got[0].Key, got[1].Key, got[2].Key})
			assert.Equal(t, []string{"0", "1", "2"}, texts(got))
			assert.Less(t, got[0].Number, got[1].Number)
			assert.Less(t, got[1].Number, got[2].Number)
			assert.Positive(t, got[0].Number)
			assert.False(t, got[0].Sent.IsZero())
		}
		assert.Equal(t, []int{1, 1, 1}, counts(receiveAll(t, w.A, 3)))
	})

	s.run("an empty queue has nothing to browse", func(t *testing.T, open Open) {
		w := open(t, long)
		assert.Empty(t, browse(t, w.A, 0, 10))
		send(t, w.A, numbered("k", 1)...)
		last := browse(t, w.A, 0, 1)
		assert.Empty(t, browse(t, w.A, last[0].Number, 10))
	})

	s.run("browsing goes on after a number, a page at a time", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, numbered("k", 5)...)
		first := browse(t, w.A, 0, 2)
		assert.Equal(t, []string{"0", "1"}, texts(first))
		second := browse(t, w.A, first[1].Number, 2)
		assert.Equal(t, []string{"2", "3"}, texts(second))
		assert.Equal(t, []string{"4"}, texts(browse(t, w.A, second[1].Number, 2)))
	})

	s.run("what is on lease is browsed too, what was acked is not, and numbers stay", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, numbered("k", 3)...)
		before := browse(t, w.A, 0, 10)
		held := receiveAll(t, w.A, 2)
		assert.Equal(t, before, browse(t, w.B, 0, 10))

		ack(t, w.A, held[0])
		pendingBecomes(t, w.A, "k", 2)
		assert.Equal(t, before[1:], browse(t, w.B, 0, 10))
	})

	s.run("what is removed is gone, queued or on lease; the others stay", func(t *testing.T, open Open) {
		w := open(t, short)
		send(t, w.A, numbered("k", 4)...)
		receiveAll(t, w.A, 1)
		all := browse(t, w.B, 0, 10)
		remove(t, w.B, all[0].Number)
		remove(t, w.B, all[2].Number)
		pendingBecomes(t, w.A, "k", 2)
		assert.Equal(t, []string{"1", "3"}, texts(browse(t, w.A, 0, 10)))

		got := receiveAll(t, w.A, 2)
		assert.Equal(t, []string{"1", "3"}, bodies(got))
		ack(t, w.A, got...)
		w.pass(t, 2*short)
	})

	s.run("removing what is not there is no error, and changes nothing", func(t *testing.T, open Open) {
		w := open(t, long)
		remove(t, w.A, 17)
		send(t, w.A, numbered("k", 2)...)
		all := browse(t, w.A, 0, 10)
		remove(t, w.A, all[0].Number)
		remove(t, w.B, all[0].Number)
		remove(t, w.B, all[1].Number+1)
		assert.Equal(t, []string{"1"}, texts(browse(t, w.A, 0, 10)))
	})

	s.run("asking for less than one message is refused, and with a context that has ended nothing is done", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, numbered("k", 1)...)
		b := browser(t, w.A)
		_, err := b.Browse(t.Context(), 0, 0)
		require.ErrorContains(t, err, "ask for at least 1")

		number := browse(t, w.A, 0, 1)[0].Number
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = b.Browse(ended, 0, 1)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, b.Remove(ended, number), context.Canceled)
		assert.Len(t, browse(t, w.A, 0, 10), 1)
	})
}

// browser is the queue as one to browse; a backend that cannot do it says so
// by not being one.
func browser(t *testing.T, q queue.Queue) queue.Browser {
	t.Helper()
	b, ok := q.(queue.Browser)
	if !ok {
		t.Skip("this backend cannot browse")
	}
	return b
}

func browse(t *testing.T, q queue.Queue, after uint64, n int) []queue.Browsed {
	t.Helper()
	got, err := browser(t, q).Browse(t.Context(), after, n)
	require.NoError(t, err)
	return got
}

func remove(t *testing.T, q queue.Queue, number uint64) {
	t.Helper()
	require.NoError(t, browser(t, q).Remove(t.Context(), number))
}

func texts(messages []queue.Browsed) []string {
	out := make([]string, len(messages))
	for i, m := range messages {
		out[i] = string(m.Body)
	}
	return out
}
