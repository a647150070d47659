package nats_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed/events"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/events/storetest"
	"github.com/deedrun/deed/internal/natsconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is a server that ends with the test.
func start(t testing.TB, o natsconn.ServerOptions) *natsconn.Server {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := natsconn.Start(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// connect is a connection that ends with the test.
func connect(t testing.TB, s *natsconn.Server) *nats.Conn {
	t.Helper()
	nc, err := s.Connect(natsconn.ConnOptions{Name: "test"})
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	return nc
}

// open is a store over a connection of its own.
func open(t testing.TB, s *natsconn.Server, o eventsnats.Options) *events.Store {
	t.Helper()
	d, err := eventsnats.Open(t.Context(), connect(t, s), o)
	require.NoError(t, err)
	return events.New(d)
}

func note(text string) events.Record {
	return events.Record{Type: "Noted", Data: fmt.Appendf(nil, "%q", text)}
}

// backends are fresh logs on one server.
func backends(t testing.TB, s *natsconn.Server) storetest.Backend {
	var count atomic.Int32
	return func(t testing.TB) func() *events.Store {
		n := count.Add(1)
		o := eventsnats.Options{Stream: fmt.Sprintf("LOG_%d", n), Subject: fmt.Sprintf("test.log%d", n)}
		return func() *events.Store { return open(t, s, o) }
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, backends(t, start(t, natsconn.ServerOptions{})))
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, backends(b, start(b, natsconn.ServerOptions{Dir: b.TempDir(), InProcessOnly: true})))
}
