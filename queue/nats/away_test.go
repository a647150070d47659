package nats_test

import (
	"fmt"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

func TestServerAway(t *testing.T) {
	t.Parallel()
	t.Run("while the server is away every call says that the queue is unavailable, and afterwards all work again", func(t *testing.T) {
		t.Parallel()
		b := startBackend(t)
		nc := b.connect(t)
		q := openQueue(t, nc, nats.Options{Name: "work", Async: true})
		require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k"}))
		held, err := q.Receive(t.Context(), 1, 5*time.Second)
		require.NoError(t, err)
		require.Len(t, held, 1)

		reconnecting := nc.StatusChanged(natsgo.RECONNECTING)
		b.server.Close()
		<-reconnecting
		nc.RemoveStatusListener(reconnecting)
		began := time.Now()
		require.ErrorIs(t, q.Ack(t.Context(), held...), queue.ErrUnavailable)
		require.ErrorIs(t, q.Extend(t.Context(), held...), queue.ErrUnavailable)
		require.ErrorIs(t, q.Purge(t.Context(), "k"), queue.ErrUnavailable)
		_, err = q.Pending(t.Context(), "k")
		require.ErrorIs(t, err, queue.ErrUnavailable)
		_, err = q.Browse(t.Context(), 0, 1)
		require.ErrorIs(t, err, queue.ErrUnavailable)
		require.ErrorIs(t, q.Remove(t.Context(), 1), queue.ErrUnavailable)
		for _, wait := range []time.Duration{0, 100 * time.Millisecond} {
			_, err = q.Receive(t.Context(), 1, wait)
			require.ErrorIs(t, err, queue.ErrUnavailable)
		}
		assert.Less(t, time.Since(began), 4*time.Second)
		err = q.Send(t.Context(), queue.Message{Key: "k"})
		require.ErrorIs(t, err, queue.ErrUnavailable)
		require.ErrorContains(t, err, `send to queue "work"`)
		s := nats.NewSignals(nc)
		require.ErrorIs(t, s.Publish(t.Context(), "heartbeat", nil), queue.ErrUnavailable)
		_, err = s.Subscribe("heartbeat")
		require.ErrorIs(t, err, queue.ErrUnavailable)

		b.start(t)
		require.NoError(t, q.Send(t.Context(), queue.Message{Key: "again"}))
		require.NoError(t, q.Ack(t.Context(), held...))
		require.NoError(t, q.Purge(t.Context(), "k"))
		got, err := q.Receive(t.Context(), 10, 5*time.Second)
		require.NoError(t, err)
		require.Len(t, got, 1)
		assert.Equal(t, "again", got[0].Key)
	})

	t.Run("what a Send acknowledged is there, whenever the server went away and came back", func(t *testing.T) {
		t.Parallel()
		b := startBackend(t)
		q := openQueue(t, b.connect(t), nats.Options{Name: "work", Async: true})
		stored := make(chan string, 1000)
		stop := make(chan struct{})
		go func() {
			defer close(stored)
			for i := range cap(stored) {
				select {
				case <-stop:
					return
				default:
				}
				key := fmt.Sprintf("send-%d", i)
				messages := make([]queue.Message, 200)
				for j := range messages {
					messages[j] = queue.Message{Key: key, Body: make([]byte, 100)}
				}
				if err := q.Send(t.Context(), messages...); err == nil {
					stored <- key
				} else if !assert.ErrorIs(t, err, queue.ErrUnavailable) {
					return
				}
			}
		}()
		first := <-stored
		for range 2 {
			b.restart(t)
		}
		close(stop)
		keys := []string{first}
		for key := range stored {
			keys = append(keys, key)
		}
		for _, key := range keys {
			n, err := q.Pending(t.Context(), key)
			require.NoError(t, err)
			require.Equal(t, 200, n, "messages of key %q", key)
		}
	})

	t.Run("a listener hears signals again after the server restarted", func(t *testing.T) {
		t.Parallel()
		b := startBackend(t)
		nc := b.connect(t)
		s := nats.NewSignals(nc)
		l, err := s.Subscribe("heartbeat")
		require.NoError(t, err)
		defer l.Stop()

		connected := nc.StatusChanged(natsgo.CONNECTED)
		b.restart(t)
		<-connected
		nc.RemoveStatusListener(connected)
		require.NoError(t, s.Publish(t.Context(), "heartbeat", []byte("beat")))
		assert.Equal(t, "beat", string(<-l.C()))
	})

	t.Run("over a connection that is closed every call fails at once", func(t *testing.T) {
		t.Parallel()
		b := startBackend(t)
		nc := b.connect(t)
		q := openQueue(t, nc, nats.Options{Name: "work", Async: true})
		nc.Close()
		began := time.Now()
		require.ErrorIs(t, q.Send(t.Context(), queue.Message{Key: "k"}), queue.ErrUnavailable)
		_, err := q.Receive(t.Context(), 1, time.Hour)
		require.ErrorIs(t, err, queue.ErrUnavailable)
		_, err = nats.NewSignals(nc).Subscribe("heartbeat")
		require.ErrorIs(t, err, queue.ErrUnavailable)
		assert.Less(t, time.Since(began), 4*time.Second)
	})
}
