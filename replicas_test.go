package deed

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/worker"
)

func TestWhoDoesNotOrchestrateWaitsUntilSomebodyHasServedThere(t *testing.T) {
	t.Parallel()
	o := external(t)
	o.Orchestrate = false
	var unreachable *UnreachableError
	err := opens(t, o)
	require.ErrorAs(t, err, &unreachable)
	require.ErrorContains(t, err, "nobody has served deed at "+o.Server+" yet: start `deed serve` there")

	o.Orchestrate = true
	require.NoError(t, opens(t, o))
	o.Orchestrate = false
	require.NoError(t, opens(t, o), "what was served once is there")
}

func TestWhyItWaitsIsTheSameWhicheverServerOfAListAnswers(t *testing.T) {
	t.Parallel()
	o := external(t)
	o.Orchestrate = false
	list := strings.TrimPrefix(o.Server, "nats://") + ",nats://127.0.0.1:1"
	o.Server = "nats://" + o.Token + "@" + list
	for _, handlers := range []*worker.Registry{nil, worker.NewRegistry()} {
		o.Handlers = handlers
		require.ErrorContains(t, opens(t, o), "at nats://…@"+list+" yet: start `deed serve` there")
	}
}

func TestAnotherNumberOfReplicasThanTheStreamsHaveIsRefused(t *testing.T) {
	t.Parallel()
	o := external(t)
	o.Replicas = 1
	require.NoError(t, opens(t, o))
	o.Replicas = 3
	require.ErrorContains(t, opens(t, o), "are kept on 1 servers, not on 3: leave out --replicas")
	o.Replicas = 0
	require.NoError(t, opens(t, o))
}

func TestWhatWasOnItsWayToAnOrchestratorComesAgainSoonThoughNobodyChoseALease(t *testing.T) {
	t.Parallel()
	o := external(t)
	o.Orchestrate, o.Lease, o.Log = true, 0, slog.New(slog.DiscardHandler)
	r, err := Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	conn, err := natsconn.Connect(t.Context(), o.Server, o.Token, natsconn.ConnOptions{})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	var shard jetstream.Consumer
	require.Eventually(t, func() bool {
		shard, err = js.Consumer(t.Context(), "deed-inbox", "shard-00")
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, inboxLease, shard.CachedInfo().Config.AckWait)
	require.Equal(t, 10*time.Second, r.Lease())
}
