package eventstore

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	natsevents "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/esdbtest"
	"github.com/deedrun/deed/internal/natsconn"
)

// queues is a connection to a NATS server of its own.
func queues(t *testing.T) *nats.Conn {
	t.Helper()
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: t.TempDir(), NoSync: true})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	conn, err := server.Connect(natsconn.ConnOptions{})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

func double(t *testing.T) *esdbtest.Server {
	t.Helper()
	s, err := esdbtest.Start(esdbtest.Options{})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func TestAnEventThatIsStoredJustBeforeTheEventsMoveElsewhereIsNotLeftBehind(t *testing.T) {
	t.Parallel()
	conn, elsewhere := queues(t), double(t)
	note := note{Queues{Conn: conn}}
	at, err := At(elsewhere.URL())
	require.NoError(t, err)
	driver, err := natsevents.Open(t.Context(), conn, natsevents.Options{})
	require.NoError(t, err)
	store := events.New(driver)
	noted, err := note.check(t.Context(), at)
	require.NoError(t, err)
	require.False(t, noted, "nothing is stored yet")
	record := events.Record{Type: "noted", Schema: 1, Data: []byte(`{}`)}
	put := func(ctx context.Context, expected events.Expected, id string) error {
		_, err := store.Append(ctx, "process-p", expected, id, record)
		return err
	}
	require.NoError(t, put(t.Context(), events.NoStream(), "c1"))

	var other *OtherError
	require.ErrorAs(t, note.write(t.Context(), at), &other)
	require.ErrorAs(t, note.convert(t.Context(), at), &other, "nor if it comes between looking and noting")
	require.NoError(t, put(t.Context(), events.Exactly(1), "c2"), "it stays what it was")
}

func TestWhoNotesWhereTheEventsAreLeavesAloneWhatAnotherHasJustNoted(t *testing.T) {
	t.Parallel()
	conn, first, second := queues(t), double(t), double(t)
	_, err := natsevents.Open(t.Context(), conn, natsevents.Options{})
	require.NoError(t, err)
	note := note{Queues{Conn: conn}}
	there, err := At(first.URL())
	require.NoError(t, err)
	elsewhere, err := At(second.URL())
	require.NoError(t, err)

	require.NoError(t, note.write(t.Context(), there))
	require.NoError(t, note.convert(t.Context(), there))
	var other *OtherError
	require.ErrorAs(t, note.convert(t.Context(), elsewhere), &other)
	require.Equal(t, there.name, other.Used)
	noted, err := note.check(t.Context(), there)
	require.NoError(t, err)
	require.True(t, noted)
}
