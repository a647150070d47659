package api_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/events/storetest"
	"github.com/deedrun/deed/orchestrator"
)

// split writes where the server does, and reads through its API.
type split struct {
	events.Driver // of a client
	server        events.Driver
}

func (s *split) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	return s.server.Append(ctx, stream, expected, c)
}

func (s *split) Truncate(ctx context.Context, stream string, before uint64) error {
	return s.server.Truncate(ctx, stream, before)
}

func TestAnEventStoreReadThroughTheAPIKeepsItsPromises(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(tb testing.TB) func() *events.Store {
		store := mem.New()
		r := overStore(tb.(*testing.T), events.New(store))
		return func() *events.Store {
			c, err := client.New(r.url, client.Options{})
			require.NoError(tb, err)
			tb.Cleanup(c.Close)
			return events.New(&split{Driver: c.Events(), server: store})
		}
	})
}

// overStore serves an event store, and nothing else worth reading.
func overStore(t *testing.T, store *events.Store) *rig {
	t.Helper()
	blobs, err := blob.Open(t.Context(), "mem://")
	require.NoError(t, err)
	t.Cleanup(func() { _ = blobs.Close() })
	return over(t, &deed.Runtime{Client: &orchestrator.Client{Events: store}, Blobs: blobs})
}

func TestAClientWritesNoEvents(t *testing.T) {
	store := events.New(mem.New())
	remote := events.New(overStore(t, store).client.Events())
	_, err := remote.Append(t.Context(), "process-x", events.NoStream(), "c1", events.Record{Type: "T", Data: []byte("1")})
	require.ErrorIs(t, err, client.ErrReadOnly)
	streams, err := store.Streams(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, streams)
}
