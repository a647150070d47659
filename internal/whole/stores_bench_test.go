package whole_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	memevents "github.com/deedrun/deed/events/mem"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/events/storetest"
	"github.com/deedrun/deed/internal/esdbtest"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// stores are the backends of events side by side: in memory, on an embedded
// server that syncs, and on the double of EventStoreDB, which is in memory too
// and has no more to tell than what its protocol and its client cost.
var stores = []struct {
	name string
	make func(testing.TB) storetest.Backend
}{
	{"mem", func(testing.TB) storetest.Backend {
		return func(testing.TB) func() *events.Store {
			driver := memevents.New()
			return func() *events.Store { return events.New(driver) }
		}
	}},
	{"nats", natsBackend},
	{"esdb", func(testing.TB) storetest.Backend { return esdbBackend }},
}

// natsBackend makes logs on one server.
func natsBackend(t testing.TB) storetest.Backend {
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	var count atomic.Int32
	return func(t testing.TB) func() *events.Store {
		o := eventsnats.Options{Stream: fmt.Sprint("LOG_", count.Add(1)), Subject: fmt.Sprint("bench.", count.Load())}
		return func() *events.Store {
			conn, err := natsconn.Connect(t.Context(), server.URL(), server.Token(), natsconn.ConnOptions{})
			require.NoError(t, err)
			t.Cleanup(conn.Close)
			driver, err := eventsnats.Open(t.Context(), conn, o)
			require.NoError(t, err)
			return events.New(driver)
		}
	}
}

func esdbBackend(t testing.TB) func() *events.Store {
	server, err := esdbtest.Start(esdbtest.Options{})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	return func() *events.Store {
		driver, err := esdb.Open(t.Context(), server.URL(), esdb.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { _ = driver.Close() })
		return events.New(driver)
	}
}

// BenchmarkStores measures appends and reads of every backend in one run.
func BenchmarkStores(b *testing.B) {
	for _, s := range stores {
		b.Run(s.name, func(b *testing.B) { storetest.Bench(b, s.make(b)) })
	}
}

// BenchmarkTakeOver measures how long it takes to find the one process that has
// not ended among 10,000 that have.
func BenchmarkTakeOver(b *testing.B) {
	const ended = 10_000
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	last := encoded(b,
		process.TasksConfirmed{Address: "work", Tasks: task.Span(0, 1), Attempt: 1, Worker: "worker-1", At: at},
		process.StepCompleted{Address: "work", At: at}, process.ProcessCompleted{At: at})
	for _, s := range stores {
		b.Run(s.name, func(b *testing.B) {
			open := s.make(b)(b)
			store := open()
			for i := range ended {
				_, err := store.Append(b.Context(), fmt.Sprint("process-ended-", i), events.NoStream(), "end", last...)
				require.NoError(b, err)
			}
			_, err := store.Append(b.Context(), "process-open", events.NoStream(), "end", last[:1]...)
			require.NoError(b, err)
			for b.Loop() {
				unfinished, err := orchestrator.Unfinished(b.Context(), open()) // by one that has seen nothing yet
				require.NoError(b, err)
				require.Equal(b, []string{"open"}, unfinished)
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms-all")
			b.ReportMetric(0, "ns/op")
			require.NoError(b, store.Close())
		})
	}
}
