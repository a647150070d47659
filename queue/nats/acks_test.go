package nats_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

func TestTheAcknowledgementOfTheLastMessageFollowsByItself(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	q := openQueue(t, b.connect(t), nats.Options{Name: "work", Async: true})
	other := openQueue(t, b.connect(t), nats.Options{Name: "work", Async: true})
	require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k"}))
	got, err := q.Receive(t.Context(), 1, 5*time.Second)
	require.NoError(t, err)
	require.NoError(t, q.Ack(t.Context(), got...))
	require.Eventually(t, func() bool {
		n, err := other.Pending(t.Context(), "k")
		return err == nil && n == 0
	}, 5*time.Second, time.Millisecond)
}

func TestWhoFlushesAndClosesTheConnectionLeavesNothingToBeDeliveredAgain(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	for range 5 {
		nc := b.connect(t)
		q := openQueue(t, nc, nats.Options{Name: "work", Async: true, Lease: time.Minute})
		require.NoError(t, q.Send(t.Context(), queue.Message{Key: "k"}))
		got, err := q.Receive(t.Context(), 1, 5*time.Second)
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.NoError(t, q.Ack(t.Context(), got...))
		q.Flush()
		nc.Close()
	}
	other := openQueue(t, b.connect(t), nats.Options{Name: "work", Async: true})
	require.Eventually(t, func() bool {
		n, err := other.Pending(t.Context(), "k")
		return err == nil && n == 0
	}, 5*time.Second, time.Millisecond)
}
