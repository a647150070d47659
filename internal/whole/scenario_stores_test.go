package whole_test

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	memevents "github.com/deedrun/deed/events/mem"
	natsevents "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/esdbtest"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/task"
)

// storage is a kind of event store; each open gives an empty one.
type storage struct {
	name string
	open func(t *testing.T) events.Driver
}

// eventStores are all kinds of event stores; EventStoreDB is a double of it, and
// a real one as well if DEED_TEST_ESDB is the URL of one.
func eventStores(t *testing.T) []storage {
	t.Helper()
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: t.TempDir(), InProcessOnly: true, NoSync: true})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	conn, err := server.Connect(natsconn.ConnOptions{})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	var opened atomic.Int64
	nats := func(t *testing.T) events.Driver {
		name := fmt.Sprintf("events-%d", opened.Add(1))
		driver, err := natsevents.Open(t.Context(), conn, natsevents.Options{Stream: name, Subject: name})
		require.NoError(t, err)
		return driver
	}
	double, err := esdbtest.Start(esdbtest.Options{})
	require.NoError(t, err)
	t.Cleanup(double.Stop)
	kinds := []storage{
		{"memory", func(*testing.T) events.Driver { return memevents.New() }},
		{"JetStream", nats},
		{"the double of EventStoreDB", func(t *testing.T) events.Driver { return openESDB(t, double.URL()) }},
	}
	if server := os.Getenv("DEED_TEST_ESDB"); server != "" {
		return append(kinds, storage{"EventStoreDB", func(t *testing.T) events.Driver { return openESDB(t, server) }})
	}
	t.Log("not compared with a real EventStoreDB: set DEED_TEST_ESDB=esdb://…; docs/eventstoredb.md")
	return kinds
}

var prefixes atomic.Int64

// ownStreams is a URL of a server under which nobody else has streams.
func ownStreams(server string) string {
	separator := "?"
	if strings.Contains(server, "?") {
		separator = "&"
	}
	prefix := fmt.Sprintf("test-%x-%d-", time.Now().UnixNano(), prefixes.Add(1))
	return server + separator + url.Values{"streamPrefix": {prefix}}.Encode()
}

func openESDB(t *testing.T, server string) events.Driver {
	driver, err := esdb.Open(t.Context(), ownStreams(server), esdb.Options{})
	require.NoError(t, err)
	return driver
}

// commits is the history of a process commit by commit, with all that is stored
// but the IDs of the commits, which are random.
func (w *world) commits(id string) []string {
	var all []string
	for c, err := range w.store.ReadCommits(w.ctx, "process-"+id, 0) {
		if err != nil {
			panic(err)
		}
		all = append(all, fmt.Sprintf("commit of events %d to %d", c.First+1, c.Version()))
		for _, r := range c.Events {
			all = append(all, fmt.Sprintf("%s/%d %s", r.Type, r.Schema, r.Data))
		}
	}
	return all
}

func (w *world) text(t *testing.T, p task.Part) string {
	t.Helper()
	in, err := w.blobs.OpenPart(w.ctx, p)
	require.NoError(t, err)
	text, err := io.ReadAll(in)
	require.NoError(t, cmp.Or(err, in.Close()))
	return string(text)
}

// Whole worlds, with all their crashes, rivals and meddling persons.
func TestAWorldGoesTheSameWayWhereverItsEventsAre(t *testing.T) {
	t.Parallel()
	stores := eventStores(t)
	for _, seed := range []uint64{5, 10, 23} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			var first []string
			for i, store := range stores {
				w := newWorldOver(t.Context(), seed, store.open(t))
				w.people()
				require.NoError(t, w.live(seed))
				told := w.log
				for _, id := range w.persons.ids {
					told = append(told, w.commits(id)...)
				}
				w.close()
				if i == 0 {
					first = told
				} else {
					require.Equal(t, first, told, "in %s it went another way than in %s", store.name, stores[0].name)
				}
			}
		})
	}
}
