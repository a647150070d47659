package natsaccounts_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	natsevents "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsaccounts"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
	natsqueue "github.com/deedrun/deed/queue/nats"
)

// locked is a server that has the accounts of a folder, and what an orchestrator
// made there.
type locked struct {
	t      *testing.T
	dir    string // with the keys
	server *server.Server

	orchestrator *nats.Conn
	js           jetstream.JetStream
	work         *natsqueue.Lanes
	inbox        *natsqueue.Sharded
	events       *events.Store
}

func lock(t *testing.T, settings string) *locked {
	t.Helper()
	l := &locked{t: t, dir: t.TempDir()}
	_, err := natsaccounts.Folder{Dir: l.dir}.Write([]string{"gpu"})
	require.NoError(t, err)
	l.serve(settings)
	return l
}

func (l *locked) config(settings string) *server.Options {
	l.t.Helper()
	file := filepath.Join(l.dir, "nats.conf")
	text := fmt.Sprintf("listen: \"127.0.0.1:-1\"\njetstream: {store_dir: %q}\nmax_payload: 8MB\ninclude %q\n%s\n",
		filepath.Join(l.dir, "store"), natsaccounts.ConfigFile, settings)
	require.NoError(l.t, os.WriteFile(file, []byte(text), 0o600))
	options, err := server.ProcessConfigFile(file)
	require.NoError(l.t, err)
	options.NoSigs, options.NoLog = true, true
	return options
}

func (l *locked) serve(settings string) {
	l.t.Helper()
	srv, err := server.NewServer(l.config(settings))
	require.NoError(l.t, err)
	srv.Start()
	l.t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	require.True(l.t, srv.ReadyForConnections(10*time.Second))
	l.server = srv
}

// as is a connection of a user.
func (l *locked) as(name string) *nats.Conn {
	l.t.Helper()
	nc, err := l.tryAs(name)
	require.NoError(l.t, err)
	l.t.Cleanup(nc.Close)
	return nc
}

func (l *locked) tryAs(name string) (*nats.Conn, error) {
	return natsconn.Connect(l.t.Context(), l.server.ClientURL(), "", natsconn.ConnOptions{
		Name: name, Credentials: natsconn.Credentials{NKeyFile: filepath.Join(l.dir, name+".nk")},
	})
}

// orchestrate makes what an orchestrator makes.
func (l *locked) orchestrate() {
	l.t.Helper()
	ctx := l.t.Context()
	l.orchestrator = l.as("orchestrator")
	var err error
	l.js, err = jetstream.New(l.orchestrator)
	require.NoError(l.t, err)
	l.work, err = natsqueue.OpenLanes(ctx, l.orchestrator, natsqueue.Options{Name: "work", Async: true})
	require.NoError(l.t, err)
	l.inbox, err = natsqueue.OpenSharded(ctx, l.orchestrator, natsqueue.Options{Name: "inbox", Async: true})
	require.NoError(l.t, err)
	_, err = natsqueue.Open(ctx, l.orchestrator, natsqueue.Options{Name: "quarantine"})
	require.NoError(l.t, err)
	driver, err := natsevents.Open(ctx, l.orchestrator, natsevents.Options{})
	require.NoError(l.t, err)
	l.events = events.New(driver)
	l.t.Cleanup(func() { _ = l.events.Close() })
	require.NoError(l.t, l.inbox.Hold(ctx, queue.AllShards))
}

// stored is what all streams hold, and how far their consumers are.
func (l *locked) stored() string {
	l.t.Helper()
	text := ""
	streams := l.js.ListStreams(l.t.Context())
	for info := range streams.Info() {
		text += fmt.Sprintf("%s: %d messages up to %d; %v", info.Config.Name, info.State.Msgs, info.State.LastSeq, info.Config.Subjects)
		stream, err := l.js.Stream(l.t.Context(), info.Config.Name)
		require.NoError(l.t, err)
		consumers := stream.ListConsumers(l.t.Context())
		waiting := uint64(0)
		for c := range consumers.Info() {
			text += fmt.Sprintf(", %s %v %s", c.Name, c.Paused, c.Config.AckWait)
			waiting += c.NumPending + uint64(c.NumAckPending)
		}
		require.NoError(l.t, consumers.Err())
		text += fmt.Sprintf(", %d waiting\n", waiting)
	}
	require.NoError(l.t, streams.Err())
	return text
}

// settled is stored once nothing moves any more: an answer is on its way for a moment.
func (l *locked) settled() string {
	l.t.Helper()
	before := l.stored()
	for range 3 { // requests of a client are served in their order, answers to others are not
		require.NoError(l.t, l.orchestrator.FlushTimeout(5*time.Second))
		time.Sleep(20 * time.Millisecond)
	}
	after := l.stored()
	if before != after {
		return l.settled()
	}
	return after
}

func withinSeconds(t *testing.T, seconds int) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seconds)*time.Second)
	t.Cleanup(cancel)
	return ctx
}
