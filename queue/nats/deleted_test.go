package nats_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

func TestAConsumerThatSomebodyDeletesIsMadeAgain(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	nc := b.connect(t)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	lanes, err := nats.OpenLanes(t.Context(), nc, nats.Options{Name: "work", Lease: time.Minute, Async: true})
	require.NoError(t, err)
	gpu, err := lanes.Lane(t.Context(), "gpu")
	require.NoError(t, err)
	shards := openSharded(t, nc, nats.Options{Name: "inbox", Lease: time.Minute, Async: true})
	require.NoError(t, shards.Hold(t.Context(), queue.AllShards))

	for _, c := range []struct {
		q                queue.Queue
		stream, consumer string
		message          queue.Message
	}{
		{openQueue(t, nc, nats.Options{Name: "plain", Async: true}), "deed-plain", "shared", queue.Message{Key: "k"}},
		{lanes, "deed-work", "pool-default", queue.Message{Key: "k"}},
		{gpu, "deed-work", "pool-gpu", queue.Message{Lane: "gpu", Key: "k"}},
		{shards, "deed-inbox", fmt.Sprintf("shard-%02d", queue.ShardOf("k")), queue.Message{Key: "k"}},
	} {
		for _, waits := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, while somebody waits: %v", c.consumer, waits), func(t *testing.T) {
				type answer struct {
					got []queue.Delivery
					err error
				}
				done := make(chan answer, 1)
				receive := func() {
					got, err := c.q.Receive(t.Context(), 1, 20*time.Second)
					done <- answer{got, err}
				}
				if waits {
					go receive()
				}
				require.NoError(t, js.DeleteConsumer(t.Context(), c.stream, c.consumer))
				require.NoError(t, c.q.Send(t.Context(), c.message))
				if !waits {
					go receive()
				}
				a := <-done
				require.NoError(t, a.err)
				require.Len(t, a.got, 1)
				require.NoError(t, c.q.Ack(t.Context(), a.got...))
				again, err := js.Consumer(t.Context(), c.stream, c.consumer)
				require.NoError(t, err)
				assert.Equal(t, c.q.Lease(), again.CachedInfo().Config.AckWait)
			})
		}
	}
}
