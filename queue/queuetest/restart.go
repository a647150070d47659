package queuetest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

// runRestart checks that nothing has to be opened again after the backend
// went away and came back. Calls may fail with ErrUnavailable until it is back;
// Send and a Receive that waits try again by themselves.
func runRestart(s suite) {
	s.run("what was sent before a restart is received after it", func(t *testing.T, open Open) {
		w := open.lasting(t, long)
		send(t, w.A, numbered("k", 10)...)
		w.Restart()

		assert.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, receiveRetrying(t, w.A, 10))
		pendingBecomes(t, w.A, "k", 0)
	})

	s.run("what was leased before a restart is delivered again after it", func(t *testing.T, open Open) {
		w := open.lasting(t, short)
		send(t, w.A, numbered("k", 3)...)
		ack(t, w.A, receiveAll(t, w.A, 1)...)
		receiveAll(t, w.A, 2)
		pendingBecomes(t, w.A, "k", 2)
		w.Restart()

		assert.ElementsMatch(t, []string{"1", "2"}, receiveRetrying(t, w.B, 2))
		pendingBecomes(t, w.B, "k", 0)
	})

	s.run("a Receive that waits across a restart gets what is sent after it", func(t *testing.T, open Open) {
		w := open.lasting(t, long)
		waiting := receiveLater(t.Context(), w.B, 1, 2*soon)
		w.Restart()
		sendRetrying(t, w.A, queue.Message{Key: "k", Body: []byte("after")})
		a := <-waiting
		require.NoError(t, a.err)
		assert.Equal(t, []string{"after"}, bodies(a.got))
	})
}

// lasting is a World that can be restarted.
func (open Open) lasting(t *testing.T, lease time.Duration) World {
	t.Helper()
	w := open(t, lease)
	if w.Restart == nil {
		t.Skip("the backend stores nothing")
	}
	return w
}

// sendRetrying sends until the message is certainly stored, perhaps twice: over a
// connection that broke just now it may be or not.
func sendRetrying(t *testing.T, q queue.Queue, m queue.Message) {
	t.Helper()
	for tries := 0; ; tries++ {
		require.Less(t, tries, 100)
		err := q.Send(t.Context(), m)
		if err == nil {
			return
		}
		require.ErrorIs(t, err, queue.ErrUnavailable)
	}
}

// receiveRetrying receives and acks until it has seen n different bodies,
// and returns each once: on a slow machine one may come again before its ack.
func receiveRetrying(t *testing.T, q queue.Queue, n int) []string {
	t.Helper()
	var got []string
	for tries := 0; len(got) < n; tries++ {
		require.Less(t, tries, 100, "%d of %d messages arrived", len(got), n)
		more, err := q.Receive(t.Context(), n-len(got), soon/5)
		if err != nil {
			require.ErrorIs(t, err, queue.ErrUnavailable)
		}
		for _, body := range bodies(more) {
			if !slices.Contains(got, body) {
				got = append(got, body)
			}
		}
		if err := q.Ack(t.Context(), more...); err != nil {
			require.ErrorIs(t, err, queue.ErrUnavailable)
		}
	}
	return got
}
