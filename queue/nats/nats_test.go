package nats_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/nats"
	"github.com/deedrun/deed/queue/queuetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const maxPayload = 2 << 20

// backend is a server that a test may stop and start again at its address.
type backend struct {
	options natsconn.ServerOptions
	server  *natsconn.Server
}

func startBackend(t testing.TB) *backend {
	t.Helper()
	b := &backend{options: natsconn.ServerOptions{Dir: t.TempDir(), MaxPayload: maxPayload, Token: "secret"}}
	b.start(t)
	b.options.Listen = strings.TrimPrefix(b.server.URL(), "nats://")
	t.Cleanup(func() { b.server.Close() })
	return b
}

func (b *backend) start(t testing.TB) {
	t.Helper()
	var err error
	b.server, err = natsconn.Start(b.options)
	require.NoError(t, err)
}

func (b *backend) restart(t testing.TB) {
	t.Helper()
	b.server.Close()
	b.start(t)
}

func (b *backend) connect(t testing.TB) *natsgo.Conn {
	t.Helper()
	nc, err := natsconn.Connect(context.Background(), b.server.URL(), b.options.Token, natsconn.ConnOptions{Name: t.Name()})
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	return nc
}

func openQueue(t testing.TB, nc *natsgo.Conn, o nats.Options) *nats.Queue {
	t.Helper()
	q, err := nats.Open(t.Context(), nc, o)
	require.NoError(t, err)
	return q
}

func openSharded(t testing.TB, nc *natsgo.Conn, o nats.Options) *nats.Sharded {
	t.Helper()
	s, err := nats.OpenSharded(t.Context(), nc, o)
	require.NoError(t, err)
	return s
}

func TestQueue(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	var opened atomic.Int64
	queuetest.RunQueue(t, func(t *testing.T, lease time.Duration) queuetest.World {
		o := nats.Options{Name: fmt.Sprintf("work.test-%d", opened.Add(1)), Lease: lease, Async: true}
		return queuetest.World{
			A:        openQueue(t, b.connect(t), o),
			B:        openQueue(t, b.connect(t), o),
			TooLarge: maxPayload + 1,
			Restart:  func() { b.restart(t) },
		}
	})
}

func TestLanes(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	var opened atomic.Int64
	queuetest.RunLanes(t, func(t *testing.T, lease time.Duration) queuetest.World {
		open := func(o nats.Options) *nats.Lanes {
			q, err := nats.OpenLanes(t.Context(), b.connect(t), o)
			require.NoError(t, err)
			return q
		}
		o := nats.Options{Name: fmt.Sprintf("work.test-%d", opened.Add(1)), Lease: lease, Async: true}
		return queuetest.World{A: open(o), B: open(o)}
	})
}

func TestSharded(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	var opened atomic.Int64
	queuetest.RunSharded(t, func(t *testing.T, lease time.Duration) queuetest.World {
		o := nats.Options{Name: fmt.Sprintf("inbox.test-%d", opened.Add(1)), Lease: lease, Async: true}
		a := b.connect(t)
		return queuetest.World{
			A:       openSharded(t, a, o),
			B:       openSharded(t, b.connect(t), o),
			Kill:    a.Close,
			Restart: func() { b.restart(t) },
		}
	})
}

func TestSignals(t *testing.T) {
	b := startBackend(t)
	queuetest.RunSignals(t, func(t *testing.T) (queue.Signals, queue.Signals) {
		return nats.NewSignals(b.connect(t)), nats.NewSignals(b.connect(t))
	})
}
