package whole_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	natsevents "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/orchestrator"
	natsqueue "github.com/deedrun/deed/queue/nats"
	"github.com/deedrun/deed/worker"
)

// remote is an orchestrator and two workers that reach a server over the
// network, each over a connection of its own.
type remote struct {
	ledger  *ledger
	workers []*deed.Runtime
	closers []func() // in reverse order

	news chan struct{} // holds a token while a task has begun that nobody awaited

	mu  sync.Mutex
	ran map[string]int // executions, by the name of the task
}

func newRemote(t *testing.T, server, token string) *remote {
	t.Helper()
	r := &remote{news: make(chan struct{}, 1), ran: map[string]int{}}
	t.Cleanup(r.close)
	blobs := (&url.URL{Scheme: "file", Path: filepath.ToSlash(t.TempDir())}).String()
	r.orchestrate(t, server, token, blobs)
	for range 2 {
		w, err := deed.Open(t.Context(), deed.Options{
			Server: server, Token: token, Blobs: blobs, Handlers: r.handlers(), Workers: 2, Log: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		r.workers = append(r.workers, w)
		r.closers = append(r.closers, w.Close)
	}
	return r
}

// orchestrate puts together what a runtime that serves does, with a ledger
// between the orchestrator and the event store.
func (r *remote) orchestrate(t *testing.T, server, token, blobs string) {
	t.Helper()
	nc, err := natsconn.Connect(t.Context(), server, token, natsconn.ConnOptions{Name: "orchestrator"})
	require.NoError(t, err)
	r.closers = append(r.closers, nc.Close)
	driver, err := natsevents.Open(t.Context(), nc, natsevents.Options{})
	require.NoError(t, err)
	r.ledger = &ledger{Driver: driver, began: make(chan struct{})}
	work, inbox, bad, err := natsQueues(t.Context(), nc, 2*time.Second)
	require.NoError(t, err)
	store, err := blob.Open(t.Context(), blobs)
	require.NoError(t, err)
	owner, err := orchestrator.NewOwner(orchestrator.Options{
		Events: events.New(r.ledger), Inbox: inbox, Work: work, Quarantine: bad,
		Signals:   natsqueue.NewSignals(nc),
		Snapshots: &orchestrator.Snapshots{Blobs: store, Every: 50, Log: slog.New(slog.DiscardHandler)},
		Log:       slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = owner.Run(ctx) // it ends with ctx
	}()
	r.closers = append(r.closers, func() {
		stop()
		<-ended
		owner.Close()
		_ = store.Close()
	})
}

func (r *remote) close() {
	for len(r.closers) > 0 {
		last := len(r.closers) - 1
		r.closers[last]()
		r.closers = r.closers[:last]
	}
}

// handlers are those of the worlds: they add up numbers, and take their time.
func (r *remote) handlers() *worker.Registry {
	reg := worker.NewRegistry()
	for name, do := range map[string]func(*worker.Task) error{
		"split": func(t *worker.Task) error {
			n, err := sum(t, "numbers")
			if err != nil {
				return err
			}
			return writeNumber(t, "keyed", fmt.Sprintf("k%d", n%5), n)
		},
		"sum":   func(t *worker.Task) error { return addUp(t, "keyed", "sums") },
		"total": func(t *worker.Task) error { return addUp(t, "sums", "total") },
	} {
		worker.Handle(reg, name, func(ctx context.Context, t *worker.Task) error {
			r.count(t.ID())
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(time.Duration(5+rand.IntN(10)) * time.Millisecond):
			}
			return do(t)
		})
	}
	return reg
}

func addUp(t *worker.Task, from, to string) error {
	n, err := sum(t, from)
	if err != nil {
		return err
	}
	return writeNumber(t, to, "", n)
}

func (r *remote) count(task string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ran[task]++
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// await waits until more than so many tasks have been executed or begun.
func (r *remote) await(t *testing.T, tasks int) {
	t.Helper()
	tooLong := time.After(time.Minute)
	for {
		r.mu.Lock()
		there := len(r.ran)
		r.mu.Unlock()
		if there > tasks {
			return
		}
		select {
		case <-r.news:
		case <-tooLong:
			require.FailNow(t, "no progress", "%d tasks were executed, want more than %d", there, tasks)
		}
	}
}

// again counts the executions of tasks that had been executed before.
func (r *remote) again() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, times := range r.ran {
		n += times - 1
	}
	return n
}

// ledger is an event store that writes down what the one below it acknowledges.
type ledger struct {
	events.Driver
	began chan struct{} // takes a token when an append begins, if somebody waits for that

	mu           sync.Mutex
	acknowledged []events.Commit
	failed       int // appends without an acknowledgement
}

func (l *ledger) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	select {
	case l.began <- struct{}{}:
	default:
	}
	version, err := l.Driver.Append(ctx, stream, expected, c)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed++
		return version, err
	}
	c.Stream, c.First = stream, version-uint64(len(c.Events))
	l.acknowledged = append(l.acknowledged, c)
	return version, err
}

// awaitAppend waits until an append begins.
func (l *ledger) awaitAppend(t *testing.T) {
	t.Helper()
	select {
	case <-l.began:
	case <-time.After(time.Minute):
		require.FailNow(t, "no progress: nothing is appended")
	}
}

// requireIn holds what a store has against what was acknowledged, byte for
// byte, and counts what is stored without an acknowledgement.
func (l *ledger) requireIn(t *testing.T, stored []events.Commit) (unanswered int) {
	t.Helper()
	at := map[uint64]events.Commit{}
	next := uint64(0)
	for _, c := range stored {
		require.Equal(t, next, c.First, "a gap, or something stored twice")
		next = c.Version()
		at[c.First] = c
	}
	for _, want := range l.acknowledged {
		have, ok := at[want.First]
		require.True(t, ok, "commit %s after version %d was acknowledged and is lost", want.ID, want.First)
		require.Equal(t, want.ID, have.ID)
		require.Equal(t, want.Events, have.Events)
	}
	return len(stored) - len(l.acknowledged)
}

// readBack reads a stream over a connection of its own.
func readBack(t *testing.T, server, token, stream string) []events.Commit {
	t.Helper()
	nc, err := natsconn.Connect(t.Context(), server, token, natsconn.ConnOptions{})
	require.NoError(t, err)
	defer nc.Close()
	driver, err := natsevents.Open(t.Context(), nc, natsevents.Options{})
	require.NoError(t, err)
	var all []events.Commit
	for c, err := range driver.Read(t.Context(), stream, 0) {
		require.NoError(t, err)
		all = append(all, c)
	}
	return all
}
