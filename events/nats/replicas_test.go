package nats_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/events/storetest"
	"github.com/deedrun/deed/internal/natscluster"
	"github.com/deedrun/deed/internal/natsconn"
)

// Each store is at another server of the cluster than the one before it: what
// one wrote the next asks a replica for.
func TestStoreOnThreeReplicas(t *testing.T) {
	if testing.Short() {
		t.Skip("elections take seconds")
	}
	_, urls := natscluster.Start(t)
	connected := func(t testing.TB, url string) *nats.Conn {
		nc, err := natsconn.Connect(t.Context(), url, "", natsconn.ConnOptions{})
		require.NoError(t, err)
		t.Cleanup(nc.Close)
		return nc
	}
	js, err := jetstream.New(connected(t, urls[0]))
	require.NoError(t, err)
	// A server that deletes its last log removes the folder of logs as well, under
	// the hands of whoever is just making one. So there is always one.
	_, err = natsconn.EnsureStream(t.Context(), js, jetstream.StreamConfig{Name: "STAYS", Subjects: []string{"stays"}, Replicas: 3})
	require.NoError(t, err)
	var logs, stores atomic.Int32
	storetest.Run(t, func(t testing.TB) func() *events.Store {
		n := logs.Add(1)
		o := eventsnats.Options{Stream: fmt.Sprintf("LOG_%d", n), Subject: fmt.Sprintf("test.log%d", n), Replicas: 3}
		t.Cleanup(func() { // ninety logs with their elections are much for three servers in one process
			assert.NoError(t, js.DeleteStream(context.WithoutCancel(t.Context()), o.Stream))
		})
		return func() *events.Store {
			d, err := eventsnats.Open(t.Context(), connected(t, urls[int(stores.Add(1))%len(urls)]), o)
			require.NoError(t, err)
			return events.New(d)
		}
	})
}
