package nats_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

func TestOpen(t *testing.T) {
	b := startBackend(t)
	nc := b.connect(t)

	t.Run("a queue that is opened again has its messages", func(t *testing.T) {
		q := openQueue(t, nc, nats.Options{Name: "again"})
		require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k"}))
		got, err := openQueue(t, nc, nats.Options{Name: "again"}).Receive(t.Context(), 10, 0)
		require.NoError(t, err)
		assert.Len(t, got, 1)
	})

	t.Run("queues of different names do not share messages", func(t *testing.T) {
		require.NoError(t, openQueue(t, nc, nats.Options{Name: "work.small"}).Send(t.Context(), queue.Message{Key: "k"}))
		got, err := openQueue(t, nc, nats.Options{Name: "work.large"}).Receive(t.Context(), 10, 0)
		require.NoError(t, err)
		assert.Empty(t, got)
	})

	t.Run("the lease is 10 seconds unless it is chosen, and stays what it was chosen to be", func(t *testing.T) {
		assert.Equal(t, 10*time.Second, openQueue(t, nc, nats.Options{Name: "lease"}).Lease())

		const lease = 200 * time.Millisecond
		openQueue(t, nc, nats.Options{Name: "lease", Lease: lease})
		q := openQueue(t, nc, nats.Options{Name: "lease"})
		require.Equal(t, lease, q.Lease())
		require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k"}))
		for count := 1; count <= 2; count++ {
			got, err := q.Receive(t.Context(), 1, 5*time.Second)
			require.NoError(t, err)
			require.Len(t, got, 1)
			require.Equal(t, count, got[0].Count)
		}
	})

	t.Run("a stream with other settings is refused, with what differs", func(t *testing.T) {
		openQueue(t, nc, nats.Options{Name: "settings", Async: true})
		_, err := nats.Open(t.Context(), nc, nats.Options{Name: "settings"})
		require.ErrorContains(t, err, `open queue "settings"`)
		require.ErrorContains(t, err, "persist mode is Async, wanted Default")
	})

	t.Run("options that cannot work are refused, with what to write instead", func(t *testing.T) {
		for _, c := range []struct {
			options nats.Options
			says    string
		}{
			{nats.Options{}, "such as work.default"},
			{nats.Options{Name: "Work"}, "such as work.default"},
			{nats.Options{Name: "work.>"}, "such as work.default"},
			{nats.Options{Name: "work", Async: true, Replicas: 3}, "leave async to single nodes"},
			{nats.Options{Name: "work", Lease: -1}, "positive duration"},
		} {
			_, err := nats.Open(t.Context(), nc, c.options)
			require.ErrorContains(t, err, c.says)
		}
	})

	t.Run("a queue cannot be opened over a connection that is closed", func(t *testing.T) {
		closed := b.connect(t)
		closed.Close()
		_, err := nats.Open(t.Context(), closed, nats.Options{Name: "closed"})
		require.ErrorContains(t, err, "connection closed")
	})
}
