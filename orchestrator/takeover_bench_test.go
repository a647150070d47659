package orchestrator

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	natsevents "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
	natsqueue "github.com/deedrun/deed/queue/nats"
	"github.com/deedrun/deed/task"
)

// BenchmarkTakeOver takes half of the shards of a store with 10,000 processes
// that have ended and 100 that have not, of 100 tasks each.
func BenchmarkTakeOver(b *testing.B) {
	b.Run("memory", func(b *testing.B) {
		q := memqueue.Options{}
		benchmarkTakeOver(b, Options{
			Events: events.New(memevents.New()), Inbox: memqueue.NewSharded(q), Work: memqueue.NewQueue(q), Quarantine: memqueue.NewQueue(q), Signals: memqueue.NewSignals(),
		})
	})
	b.Run("nats", func(b *testing.B) {
		server, err := natsconn.Start(natsconn.ServerOptions{Dir: b.TempDir(), NoSync: true})
		require.NoError(b, err)
		defer server.Close()
		conn, err := server.Connect(natsconn.ConnOptions{})
		require.NoError(b, err)
		defer conn.Close()
		driver, err := natsevents.Open(b.Context(), conn, natsevents.Options{})
		require.NoError(b, err)
		inbox, err := natsqueue.OpenSharded(b.Context(), conn, natsqueue.Options{Name: "inbox", Async: true})
		require.NoError(b, err)
		work, err := natsqueue.OpenLanes(b.Context(), conn, natsqueue.Options{Name: "work", Async: true})
		require.NoError(b, err)
		benchmarkTakeOver(b, Options{Events: events.New(driver), Inbox: inbox, Work: work, Quarantine: memqueue.NewQueue(memqueue.Options{}), Signals: natsqueue.NewSignals(conn)})
	})
}

func benchmarkTakeOver(b *testing.B, options Options) {
	const half = queue.Shards(1)<<(queue.ShardCount/2) - 1
	options.Log, options.First = slog.New(slog.DiscardHandler), true
	storeProcesses(b, options.Events)
	var loaded, whole time.Duration
	for range b.N {
		o, err := NewOwner(options)
		require.NoError(b, err)
		began := time.Now()
		o.members.claimed = half
		for o.shards != half {
			require.NoError(b, o.take(b.Context(), time.Now))
		}
		loaded += time.Since(began)
		require.NoError(b, o.feed(b.Context(), time.Now())) // takes off the work queue what is on it
		whole += time.Since(began)
		require.NoError(b, o.Leave(b.Context()))
		o.Close()
	}
	b.ReportMetric(float64(loaded.Milliseconds())/float64(b.N), "ms-to-hold")
	b.ReportMetric(float64(whole.Milliseconds())/float64(b.N), "ms-to-sweep")
	b.ReportMetric(0, "ns/op")
}

func storeProcesses(b *testing.B, store *events.Store) {
	put := func(id string, commit int, version uint64, happened ...process.Event) {
		commitTo(b, store, id, version, fmt.Sprintf("%s-%d", id, commit), happened...)
	}
	start := func(id string, tasks int) (process.State, []process.Event) {
		in := task.Inline(make([]task.Part, tasks))
		decided, err := process.Decide(process.State{}, process.StartProcess{ID: id, Definition: fanOut(), Inputs: map[string]task.Dataset{"in": in}})
		require.NoError(b, err)
		return process.Fold(process.State{}, decided...), decided
	}
	for i := range 10_000 {
		id := fmt.Sprintf("ended-%d", i)
		_, happened := start(id, 1)
		put(id, 0, 0, append(happened, process.ProcessCompleted{})...)
	}
	for i := range 100 {
		id := fmt.Sprintf("open-%d", i)
		s, happened := start(id, 100)
		put(id, 0, 0, happened...)
		for n := range 50 {
			happened, err := process.Decide(s, process.ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Of(n)})
			require.NoError(b, err)
			put(id, n+1, s.Version, happened...)
			s = process.Fold(s, happened...)
		}
	}
}
