package nats_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

func TestInboxes(t *testing.T) {
	t.Run("calls share their subscriptions, also when many were cancelled", func(t *testing.T) {
		b := startBackend(t)
		nc := b.connect(t)
		q := openQueue(t, nc, nats.Options{Name: "work", Async: true})
		for i := range 200 {
			require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k"}))
			got, err := q.Receive(t.Context(), 1+i%100, 5*time.Second)
			require.NoError(t, err)
			require.Len(t, got, 1)
		}
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				defer cancel()
				_, err := q.Receive(ctx, 1, time.Hour)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
			})
		}
		group.Wait()
		assert.Eventually(t, func() bool { return nc.NumSubscriptions() < 40 }, 15*time.Second, 5*time.Millisecond)
	})

	t.Run("a Receive of any size brings a bounded batch", func(t *testing.T) {
		b := startBackend(t)
		q := openQueue(t, b.connect(t), nats.Options{Name: "work", Async: true})
		messages := make([]queue.Message, 5000)
		for i := range messages {
			messages[i] = queue.Message{Key: fmt.Sprintf("p-%d", i%3)}
		}
		require.NoError(t, q.Send(t.Context(), messages...))
		got, err := q.Receive(t.Context(), 1<<40, time.Minute)
		require.NoError(t, err)
		assert.Len(t, got, 4096)
	})

	t.Run("many that want more than comes each get on, one message at a time", func(t *testing.T) {
		b := startBackend(t)
		q := openQueue(t, b.connect(t), nats.Options{Name: "work", Async: true})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		arrived := make(chan string, 1)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for {
					got, err := q.Receive(ctx, 100, time.Minute)
					if err != nil {
						assert.ErrorIs(t, err, context.Canceled)
						return
					}
					assert.NoError(t, q.Ack(t.Context(), got...))
					for _, d := range got {
						arrived <- string(d.Body)
					}
				}
			})
		}
		for i := range 300 {
			body := fmt.Sprint(i)
			require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k", Body: []byte(body)}))
			require.Equal(t, body, <-arrived)
		}
		stop()
		group.Wait()
	})
}
