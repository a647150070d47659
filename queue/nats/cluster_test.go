package nats_test

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
)

// cluster is three servers in this process, and the addresses for clients.
func cluster(t *testing.T) (servers []*server.Server, urls string) {
	t.Helper()
	ports := freePorts(t, 3)
	var routes []*url.URL
	for _, port := range ports {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	var all []string
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true,
			JetStream: true, StoreDir: t.TempDir(),
			Cluster: server.ClusterOpts{Name: "deed", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		require.NoError(t, err)
		s.Start()
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		servers, all = append(servers, s), append(all, s.ClientURL())
	}
	return servers, strings.Join(all, ",")
}

func freePorts(t *testing.T, count int) []int {
	t.Helper()
	var ports []int
	for range count {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func connect(t *testing.T, urls string) *natsgo.Conn {
	t.Helper()
	nc, err := natsconn.Connect(t.Context(), urls, "", natsconn.ConnOptions{})
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	return nc
}

func TestOnThreeReplicasShardsAndLanesGoOnWhenTheServerDiesThatLedTheirConsumers(t *testing.T) {
	if testing.Short() {
		t.Skip("elections take seconds")
	}
	t.Parallel()
	servers, urls := cluster(t)
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
			s.Shutdown()
			s.WaitForShutdown()
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
	_, urls := cluster(t)
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
