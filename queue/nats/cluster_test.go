package nats_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natscluster"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

func connect(t *testing.T, urls []string) *natsgo.Conn {
	t.Helper()
	nc, err := natsconn.Connect(t.Context(), strings.Join(urls, ","), "", natsconn.ConnOptions{})
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	return nc
}

func TestOnThreeReplicasShardsAndLanesGoOnWhenTheServerDiesThatLedTheirConsumers(t *testing.T) {
	if testing.Short() {
		t.Skip("elections take seconds")
	}
	t.Parallel()
	servers, urls := natscluster.Start(t)
	inbox := openSharded(t, connect(t, urls), nats.Options{Name: "inbox", Replicas: 3})
	require.NoError(t, inbox.Hold(t.Context(), queue.AllShards))
	work, err := nats.OpenLanes(t.Context(), connect(t, urls), nats.Options{Name: "work", Replicas: 3})
	require.NoError(t, err)
	gpu, err := work.Lane(t.Context(), "gpu")
	require.NoError(t, err)

	// arrives sends a message until it is stored, and waits for it.
	arrives := func(q queue.Queue, m queue.Message) {
		began := time.Now()
		require.Eventually(t, func() bool { return q.Send(t.Context(), m) == nil }, 20*time.Second, 10*time.Millisecond)
		for {
			require.Less(t, time.Since(began), 30*time.Second, "%s did not arrive", m.Body)
			got, err := q.Receive(t.Context(), 100, time.Second)
			if err != nil {
				require.ErrorIs(t, err, queue.ErrUnavailable)
			}
			for _, d := range got {
				_ = q.Ack(t.Context(), d)
				if bytes.Equal(d.Body, m.Body) {
					return
				}
			}
		}
	}
	key := "process-1"
	arrives(inbox, queue.Message{Key: key, Body: []byte("before")})
	arrives(gpu, queue.Message{Lane: "gpu", Key: key, Body: []byte("before")})

	js, err := jetstream.New(connect(t, urls))
	require.NoError(t, err)
	shard, err := js.Consumer(t.Context(), "deed-inbox", fmt.Sprintf("shard-%02d", queue.ShardOf(key)))
	require.NoError(t, err)
	for _, s := range servers {
		if s.Name() == shard.CachedInfo().Cluster.Leader {
			s.Stop()
		}
	}
	arrives(inbox, queue.Message{Key: key, Body: []byte("after")})
	arrives(gpu, queue.Message{Lane: "gpu", Key: key, Body: []byte("after")})
	for i := range 50 {
		key := fmt.Sprintf("other-%d", i)
		arrives(inbox, queue.Message{Key: key, Body: []byte(key)})
	}
}

func TestOnThreeReplicasARequestThatWasLostWithAServerIsMadeAgainWithinSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	t.Parallel()
	_, urls := natscluster.Start(t)
	inbox := openSharded(t, connect(t, urls), nats.Options{Name: "inbox", Replicas: 3})
	requests := make(chan *natsgo.Msg, 64)
	watching := connect(t, urls)
	_, err := watching.ChanSubscribe("$JS.API.CONSUMER.MSG.NEXT.deed-inbox.>", requests)
	require.NoError(t, err)
	require.NoError(t, watching.Flush())
	require.NoError(t, inbox.Hold(t.Context(), queue.Shards(0).With(7)))
	<-requests // nobody knows whether it reached whom it was for

	var again time.Duration
	for began := time.Now(); again == 0; {
		_, err := inbox.Receive(t.Context(), 1, 100*time.Millisecond)
		require.NoError(t, err)
		select {
		case <-requests:
			again = time.Since(began)
		default:
		}
	}
	require.Less(t, again, 8*time.Second)
}
