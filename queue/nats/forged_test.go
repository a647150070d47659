package nats_test

import (
	"fmt"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

func TestWhatASenderSaysOfThePinHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s, nc := holdAll(t)
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
