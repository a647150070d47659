package nats_test

import (
	"fmt"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

func TestWhatASenderSaysOfThePinHoldsUpNobody(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	nc := b.connect(t)
	s := openSharded(t, nc, nats.Options{Name: "inbox", Async: true})
	require.NoError(t, s.Hold(t.Context(), queue.AllShards))
	require.NoError(t, s.Send(t.Context(), queue.Message{Key: "k"}))
	receiveOne(t, s)
	began := time.Now()
	for range 1000 {
		m := natsgo.NewMsg(fmt.Sprintf("deed.queue.inbox.%02d.report.k", queue.ShardOf("k")))
		m.Header = natsgo.Header{"Nats-Pin-Id": {"forged"}}
		require.NoError(t, nc.PublishMsg(m))
	}
	for range 1000 {
		receiveOne(t, s)
	}
	require.Less(t, time.Since(began), 2*time.Second)
}
