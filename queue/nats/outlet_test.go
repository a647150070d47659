package nats_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

func TestWhoeverOnlySendsOrOnlyReceivesIsOfferedNothingElse(t *testing.T) {
	t.Parallel()
	nc := startBackend(t).connect(t)
	work, err := nats.OpenLanes(t.Context(), nc, nats.Options{Name: "work", Lease: time.Minute})
	require.NoError(t, err)
	outlet, err := nats.OpenLanesOutlet(nc, nats.Options{Name: "work"})
	require.NoError(t, err)
	taker, err := nats.OpenTaker(t.Context(), nc, nats.Options{Name: "work"}, queue.DefaultLane)
	require.NoError(t, err)

	for name, part := range map[string]any{"outlet": outlet, "taker": taker} {
		_, browses := part.(queue.Browser)
		_, whole := part.(queue.Queue)
		require.False(t, browses || whole, "%s: nothing looks after its stream", name)
	}
	_, sends := taker.(queue.Sender)
	require.False(t, sends)
	_, receives := outlet.(queue.Consumer)
	require.False(t, receives)

	require.NoError(t, outlet.Send(t.Context(), queue.Message{Key: "k", Body: []byte("a task")}))
	got, err := taker.Receive(t.Context(), 1, 5*time.Second)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, time.Minute, taker.Lease())
	require.NoError(t, taker.Extend(t.Context(), got...))
	require.NoError(t, taker.Ack(t.Context(), got...))
	taker.Flush()
	n, err := work.Pending(t.Context(), "k")
	require.NoError(t, err)
	require.Zero(t, n)
}
