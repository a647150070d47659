package whole_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/events"
	natsevents "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	natsqueue "github.com/deedrun/deed/queue/nats"
	"github.com/deedrun/deed/worker"
)

// cluster is one NATS server, an orchestrator and maybe more of them, and a
// worker whose tasks take a moment.
type cluster struct {
	t       *testing.T
	options deed.Options
	first   *deed.Runtime
	worker  *deed.Runtime

	mu    sync.Mutex
	began int // tasks
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	server, err := natsconn.Start(natsconn.ServerOptions{Dir: t.TempDir(), NoSync: true})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	blobs := url.URL{Scheme: "file", Path: filepath.ToSlash(t.TempDir())}
	c := &cluster{t: t, options: deed.Options{Server: server.URL(), Token: server.Token(), Blobs: blobs.String(), Lease: 10 * time.Second, Log: slog.New(slog.DiscardHandler)}}
	c.first = c.orchestrator()
	handlers := worker.NewRegistry()
	for name, do := range map[string]func(*worker.Task) error{
		"take": func(t *worker.Task) error { return addUp(t, "numbers", "taken") },
		"add":  func(t *worker.Task) error { return addUp(t, "numbers", "sum") },
	} {
		worker.Handle(handlers, name, func(_ context.Context, t *worker.Task) error {
			c.mu.Lock()
			c.began++
			c.mu.Unlock()
			time.Sleep(25 * time.Millisecond)
			return do(t)
		})
	}
	o := c.options
	o.Handlers, o.Workers = handlers, 4
	c.worker = c.open(o)
	return c
}

func (c *cluster) open(o deed.Options) *deed.Runtime {
	c.t.Helper()
	r, err := deed.Open(c.t.Context(), o)
	require.NoError(c.t, err)
	c.t.Cleanup(r.Close)
	return r
}

func (c *cluster) orchestrator() *deed.Runtime {
	c.t.Helper()
	o := c.options
	o.Orchestrate = true
	return c.open(o)
}

// holders waits until so many replicas hold all shards, and lists them.
func (c *cluster) holders(n int) []orchestrator.ReplicaView {
	c.t.Helper()
	var held []orchestrator.ReplicaView
	require.Eventually(c.t, func() bool {
		v, err := c.worker.Look(c.t.Context(), "")
		held = v.Replicas
		return err == nil && v.Shards == queue.AllShards && len(held) == n
	}, 20*time.Second, 10*time.Millisecond, "%d replicas hold all", n)
	return held
}

const processes, tasks = 8, 60

func (c *cluster) submit() {
	c.t.Helper()
	source := deed.MustParse(`
deed: v1
name: simple
inputs: [numbers]
steps:
  take: {run: take, each: numbers, out: [taken], parallelism: 2}
  add:  {run: add, in: {numbers: taken}, out: {sum: total}}
outputs: [total]
`)
	given := make([]any, tasks)
	for i := range given {
		given[i] = i
	}
	for i := range processes {
		require.NoError(c.t, c.worker.Submit(c.t.Context(), fmt.Sprintf("p%d", i), deed.Job{Source: source, Inputs: map[string]deed.Input{"numbers": deed.Values(given...)}}))
	}
}

// midway waits until so many tasks have begun, and more are to come.
func (c *cluster) midway(n int) {
	c.t.Helper()
	begun := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.began
	}
	require.Eventually(c.t, func() bool { return begun() >= n }, 30*time.Second, time.Millisecond)
	require.Less(c.t, begun(), processes*tasks*9/10, "this comes too late to show anything")
}

// finish waits for all processes, and says for how long the one did not go on
// that stood still longest, from the times of its events.
func (c *cluster) finish() (stall time.Duration) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 45*time.Second)
	defer cancel()
	for i := range processes {
		id := fmt.Sprintf("p%d", i)
		result, err := c.worker.Wait(ctx, id, nil)
		require.NoError(c.t, err)
		text, err := result.Text(ctx, "total")
		require.NoError(c.t, err)
		require.Equal(c.t, fmt.Sprint(tasks*(tasks-1)/2), text)
		confirmed, last := 0, time.Time{}
		for e, err := range orchestrator.History(ctx, c.worker.Events, id) {
			require.NoError(c.t, err)
			event, err := process.Decode(process.Stored{Type: e.Type, Schema: e.Schema, Data: e.Data})
			require.NoError(c.t, err)
			done, ok := event.(process.TasksConfirmed)
			if !ok {
				continue
			}
			confirmed += done.Tasks.Len()
			if !last.IsZero() {
				stall = max(stall, done.At.Sub(last))
			}
			last = done.At
		}
		require.Equal(c.t, tasks+1, confirmed)
	}
	return stall
}

func TestWhatAnOrchestratorHadThatIsClosedAnotherFinishes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.holders(1)
	c.submit()
	c.midway(20)
	c.orchestrator()
	for _, r := range c.holders(2) {
		require.NotZero(t, r.Shards)
	}
	c.midway(100)
	c.first.Close()
	stall := c.finish()
	t.Logf("the longest that a process stood still: %s", stall.Round(time.Millisecond))
	require.Less(t, stall, c.options.Lease)
	require.Len(t, c.holders(1), 1)
}

func TestWhatAnOrchestratorHadThatIsCutOffAnotherFinishes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	cut := c.cuttable()
	c.holders(2)
	c.submit()
	c.midway(80)
	cut()
	stall := c.finish()
	t.Logf("the longest that a process stood still: %s", stall.Round(time.Millisecond))
	require.Less(t, stall, c.options.Lease+5*time.Second) // and what it had received of the inbox comes again after a lease
	require.Len(t, c.holders(1), 1)
}

// cuttable is an orchestrator whose connection is closed by cut, so that it can
// not even say that it leaves.
func (c *cluster) cuttable() (cut func()) {
	c.t.Helper()
	conn, err := natsconn.Connect(c.t.Context(), c.options.Server, c.options.Token, natsconn.ConnOptions{})
	require.NoError(c.t, err)
	driver, err := natsevents.Open(c.t.Context(), conn, natsevents.Options{})
	require.NoError(c.t, err)
	work, inbox, bad, err := natsQueues(c.t.Context(), conn, 0)
	require.NoError(c.t, err)
	owner, err := orchestrator.NewOwner(orchestrator.Options{
		Events: events.New(driver), Inbox: inbox, Work: work, Quarantine: bad, Signals: natsqueue.NewSignals(conn), Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(c.t, err)
	ctx, stop := context.WithCancel(c.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = owner.Run(ctx) // until it is stopped
	}()
	c.t.Cleanup(func() {
		conn.Close()
		stop()
		<-ended
		owner.Close()
	})
	return conn.Close
}

// A server that was killed may find orchestrators that outlived it.
func TestWhoServesAFolderSharesItWithOrchestratorsThatJoined(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := deed.Options{Dir: dir, Handlers: takers(), Workers: 2, Log: slog.New(slog.DiscardHandler)}
	serves, err := deed.Open(t.Context(), o)
	require.NoError(t, err)
	defer serves.Close()
	require.True(t, serves.Serving)
	joins, err := deed.Open(t.Context(), deed.Options{Dir: dir, Join: true, Orchestrate: true, Log: o.Log})
	require.NoError(t, err)
	defer joins.Close()
	require.False(t, joins.Serving)
	c := &cluster{t: t, worker: serves}
	c.holders(2)
	joins.Close()
	began := time.Now()
	c.holders(1)
	require.Less(t, time.Since(began), 5*time.Second)
}
