package queuetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

func runDelivery(s suite) {
	s.run("an empty queue answers at once with nothing when the wait is 0", func(t *testing.T, open Open) {
		w := open(t, long)
		assert.Empty(t, receive(t, w.A, 10, 0))
	})

	s.run("an empty queue answers with nothing after the wait, not before", func(t *testing.T, open Open) {
		w := open(t, long)
		const wait = 60 * time.Millisecond
		began := time.Now()
		assert.Empty(t, receive(t, w.A, 10, wait))
		assert.GreaterOrEqual(t, time.Since(began), wait)
	})

	s.run("a message arrives with its key and body, delivered the first time", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, queue.Message{Key: "process-1", Body: []byte("hello")})

		got := receiveAll(t, w.B, 1)
		assert.Equal(t, "process-1", got[0].Key)
		assert.Equal(t, "hello", string(got[0].Body))
		assert.Equal(t, 1, got[0].Count)
	})

	s.run("a message arrives with the context of the trace that it was sent with, or with none", func(t *testing.T, open Open) {
		w := open(t, long)
		const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		send(t, w.A, queue.Message{Key: "k", Body: []byte("1"), Trace: trace}, queue.Message{Key: "k", Body: []byte("2")})
		got := receiveAll(t, w.B, 2)
		assert.Equal(t, []string{trace, ""}, []string{got[0].Trace, got[1].Trace})
	})

	s.run("one consumer gets the messages of a key in the order they were sent", func(t *testing.T, open Open) {
		w := open(t, long)
		sent := numbered("k", 500)
		send(t, w.A, sent[:200]...)
		send(t, w.A, sent[200:]...)

		var got []string
		for len(got) < len(sent) {
			some := receive(t, w.B, 70, soon)
			require.NotEmpty(t, some)
			got = append(got, bodies(some)...)
			ack(t, w.B, some...)
		}
		for i, m := range sent {
			require.Equal(t, string(m.Body), got[i])
		}
	})

	s.run("no more than max are taken; the others stay for somebody else", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, numbered("k", 10)...)

		assert.Equal(t, []string{"0", "1", "2"}, bodies(receiveAll(t, w.A, 3)))
		assert.Equal(t, []string{"3", "4", "5", "6", "7", "8", "9"}, bodies(receiveAll(t, w.B, 7)))
		assert.Empty(t, receive(t, w.A, 10, 0))
	})

	s.run("a Receive returns what is there and does not wait to fill up", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, numbered("k", 3)...)

		began := time.Now()
		assert.Len(t, receive(t, w.A, 10, soon), 3)
		assert.Less(t, time.Since(began), soon/2)
	})

	s.run("a Receive with wait 0 returns what is there", func(t *testing.T, open Open) {
		w := open(t, long)
		send(t, w.A, numbered("k", 5)...)
		var got []string
		// What is sent may take a moment to show.
		require.Eventually(t, func() bool {
			some, err := w.B.Receive(t.Context(), 10, 0)
			got = append(got, bodies(some)...)
			return err != nil || len(got) >= 5
		}, soon, 5*time.Millisecond)
		assert.Equal(t, []string{"0", "1", "2", "3", "4"}, got)
	})

	s.run("competing consumers share the messages without overlap", func(t *testing.T, open Open) {
		w := open(t, long)
		const n = 100
		send(t, w.A, numbered("k", n)...)

		seen := map[string]bool{}
		for len(seen) < n {
			for _, q := range []queue.Queue{w.A, w.B} {
				for _, d := range receive(t, q, 7, 0) {
					require.False(t, seen[string(d.Body)], "message %s was given to two consumers", d.Body)
					require.Equal(t, 1, d.Count)
					seen[string(d.Body)] = true
				}
			}
		}
	})

	s.run("what is acked is gone", func(t *testing.T, open Open) {
		w := open(t, short)
		send(t, w.A, numbered("k", 4)...)
		ack(t, w.A, receiveAll(t, w.A, 4)...)
		w.pass(t, 2*short)
		pendingBecomes(t, w.A, "k", 0)
	})
}
