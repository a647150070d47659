package queuetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

// answer is what a Receive returned.
type answer struct {
	got []queue.Delivery
	err error
}

func receiveLater(ctx context.Context, q queue.Queue, most int, wait time.Duration) <-chan answer {
	done := make(chan answer, 1)
	go func() {
		got, err := q.Receive(ctx, most, wait)
		done <- answer{got, err}
	}()
	return done
}

func runWaiting(s suite) {
	s.run("a Receive that waits gets a message sent later, at once", func(t *testing.T, open Open) {
		w := open(t, long)
		for range 20 {
			began := time.Now()
			waiting := receiveLater(t.Context(), w.B, 10, soon)
			send(t, w.A, numbered("k", 1)...)
			a := <-waiting
			require.NoError(t, a.err)
			require.Len(t, a.got, 1)
			require.Less(t, time.Since(began), soon/2)
			ack(t, w.B, a.got...)
		}
	})

	s.run("of many that wait exactly one gets a message", func(t *testing.T, open Open) {
		w := open(t, long)
		const n = 8
		answers := make([]<-chan answer, n)
		for i := range answers {
			q := w.A
			if i%2 == 1 {
				q = w.B
			}
			answers[i] = receiveLater(t.Context(), q, 10, 300*time.Millisecond)
		}
		send(t, w.A, numbered("k", 1)...)
		total := 0
		for _, waiting := range answers {
			a := <-waiting
			require.NoError(t, a.err)
			total += len(a.got)
		}
		// On a slow machine they had all given up before the message came.
		total += len(receive(t, w.A, 10, 0))
		assert.Equal(t, 1, total)
	})

	s.run("many that wait share what comes without overlap", func(t *testing.T, open Open) {
		w := open(t, long)
		const n = 8
		answers := make([]<-chan answer, n)
		for i := range answers {
			answers[i] = receiveLater(t.Context(), w.A, 1, soon)
		}
		send(t, w.B, numbered("k", n)...)
		seen := map[string]bool{}
		for _, waiting := range answers {
			a := <-waiting
			require.NoError(t, a.err)
			require.Len(t, a.got, 1)
			seen[string(a.got[0].Body)] = true
		}
		assert.Len(t, seen, n)
	})

	s.run("a context that ends ends a Receive that waits, and the next message is somebody else's at once", func(t *testing.T, open Open) {
		w := open(t, long)
		for range 5 {
			ctx, cancel := context.WithCancel(t.Context())
			waiting := receiveLater(ctx, w.A, 10, time.Hour)
			cancel()
			a := <-waiting
			require.ErrorIs(t, a.err, context.Canceled)

			send(t, w.B, numbered("k", 1)...)
			got := receiveAll(t, w.B, 1)
			require.Equal(t, 1, got[0].Count)
			ack(t, w.B, got...)
		}
	})

	s.run("a context that ends while a message arrives loses nothing: the message is returned or is still there", func(t *testing.T, open Open) {
		w := open(t, long)
		for range 100 {
			ctx, cancel := context.WithCancel(t.Context())
			waiting := receiveLater(ctx, w.A, 10, time.Hour)
			sent := make(chan error, 1)
			go func() { sent <- w.B.Send(t.Context(), numbered("k", 1)...) }()
			go cancel()
			a := <-waiting
			require.NoError(t, <-sent)
			got := a.got
			if len(got) == 0 {
				require.ErrorIs(t, a.err, context.Canceled)
				got = receiveAll(t, w.B, 1)
			}
			require.Len(t, got, 1)
			// On its way to the call that ended, it may count as delivered.
			require.LessOrEqual(t, got[0].Count, 2)
			ack(t, w.B, got...)
		}
	})
}
