package deed

import (
	"log/slog"
	"net/url"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	natsevents "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/esdbtest"
	"github.com/deedrun/deed/internal/eventstore"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/worker"
)

// external is a NATS server that is no folder's, and how to serve it.
func external(t *testing.T) Options {
	t.Helper()
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: t.TempDir(), NoSync: true})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	blobs := url.URL{Scheme: "file", Path: t.TempDir()}
	return Options{Server: server.URL(), Token: server.Token(), Blobs: blobs.String(), Orchestrate: true, Log: slog.New(slog.DiscardHandler)}
}

func double(t *testing.T) *esdbtest.Server {
	t.Helper()
	s, err := esdbtest.Start(esdbtest.Options{})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func opens(t *testing.T, o Options) error {
	t.Helper()
	r, err := Open(t.Context(), o)
	if err == nil {
		_, err = r.Events.Streams(t.Context(), "process-")
		r.Close()
	}
	return err
}

func TestAServerThatIsNoFoldersKnowsWhereTheEventsOfItsQueuesAre(t *testing.T) {
	t.Parallel()
	o, first, second := external(t), double(t), double(t)
	o.Events = first.URL()
	require.NoError(t, opens(t, o))
	require.NoError(t, opens(t, o))

	o.Events = second.URL()
	err := opens(t, o)
	var other *eventstore.OtherError
	require.ErrorAs(t, err, &other)
	require.Equal(t, "esdb://"+first.Address(), other.Used)
	require.Equal(t, "esdb://"+second.Address(), other.Given)
	require.ErrorContains(t, err, "remove the stream DEED_EVENTS, which holds nothing but this note")
	o.Events = ""
	require.ErrorContains(t, opens(t, o), "not in jetstream: give that URL with --events")
}

func TestAWorkerNeedsNoEventStoreAndIsToldWhenItAsksForOne(t *testing.T) {
	t.Parallel()
	o, store := external(t), double(t)
	o.Events = store.URL()
	require.NoError(t, opens(t, o))
	o.Handlers, o.Orchestrate = worker.NewRegistry(), false
	store.Stop()
	r, err := Open(t.Context(), o)
	require.NoError(t, err)
	defer r.Close()
	_, err = r.Events.Version(t.Context(), "process-p")
	require.ErrorIs(t, err, events.ErrUnavailable)
	require.NoError(t, store.Restart())
	_, err = r.Events.Version(t.Context(), "process-p")
	require.NoError(t, err, "it is opened when it can be")

	o.Events = ""
	ignorant, err := Open(t.Context(), o)
	require.NoError(t, err)
	defer ignorant.Close()
	var other *eventstore.OtherError
	_, err = ignorant.Events.Version(t.Context(), "process-p")
	require.ErrorAs(t, err, &other)
}

// Earlier versions made their log so, and the server never takes that back.
func TestEventsMayMoveElsewhereFromAnEmptyLogThatDeniesToBePurged(t *testing.T) {
	t.Parallel()
	o, elsewhere := external(t), double(t)
	conn, err := natsconn.Connect(t.Context(), o.Server, o.Token, natsconn.ConnOptions{})
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	config := natsevents.Config(natsevents.Options{Stream: "DEED_EVENTS", Subject: "deed.events"})
	config.DenyPurge = true
	_, err = js.CreateStream(t.Context(), config)
	require.NoError(t, err)

	o.Events = elsewhere.URL()
	require.NoError(t, opens(t, o))
	require.NoError(t, opens(t, o))
}
