package worker_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is what a worker works with: real queues, signals and blobs in memory.
type world struct {
	t       *testing.T
	ctx     context.Context
	work    *mem.Queue
	inbox   *mem.Queue
	bad     *mem.Queue
	signals queue.Signals
	blobs   *blob.Store
	reg     *worker.Registry
	log     *logbook
}

func newWorld(t *testing.T) *world {
	blobs, err := blob.Open(t.Context(), "mem://")
	require.NoError(t, err)
	t.Cleanup(func() { _ = blobs.Close() })
	return &world{
		t: t, ctx: context.Background(),
		work: mem.NewQueue(mem.Options{}), inbox: newInbox(mem.Options{}), bad: mem.NewQueue(mem.Options{}),
		signals: mem.NewSignals(), blobs: blobs, reg: worker.NewRegistry(), log: &logbook{},
	}
}

func (w *world) options() worker.Options {
	return worker.Options{
		Name: "w1", Work: w.work, Inbox: w.inbox, Signals: w.signals, Blobs: w.blobs, Registry: w.reg,
		Quarantine: w.bad, Slots: 2, Log: slog.New(slog.NewTextHandler(w.log, nil)), TempDir: w.t.TempDir(),
	}
}

// handle registers a handler.
func (w *world) handle(name string, handler worker.HandlerFunc) { worker.Handle(w.reg, name, handler) }

// running is a worker that runs until the test ends.
type running struct {
	*worker.Worker
	ended chan struct{}
	err   error // of Run, once ended is closed
}

func (w *world) run(change ...func(*worker.Options)) *running {
	o := w.options()
	for _, c := range change {
		c(&o)
	}
	made, err := worker.New(o)
	require.NoError(w.t, err)
	r := &running{Worker: made, ended: make(chan struct{})}
	ctx := w.ctx
	go func() {
		defer close(r.ended)
		r.err = made.Run(ctx)
	}()
	w.t.Cleanup(func() {
		made.Close()
		<-r.ended
	})
	return r
}

// job is a message for the handler named h.
func job(tasks task.Ranges, change ...func(*task.Work)) task.Work {
	work := task.Work{Process: "p", Address: "step", Attempt: 1, Tasks: tasks, Run: task.Run{Handler: "h"}}
	for _, c := range change {
		c(&work)
	}
	return work
}

func (w *world) send(works ...task.Work) {
	w.t.Helper()
	for _, work := range works {
		body, err := json.Marshal(work)
		require.NoError(w.t, err)
		require.NoError(w.t, w.work.Send(w.ctx, queue.Message{Key: work.Process, Body: body}))
	}
}

// results waits for reports about n tasks, and returns them as they came.
func (w *world) results(n int) []task.Result {
	w.t.Helper()
	var results []task.Result
	for _, report := range w.reports(n) {
		results = append(results, report.Results...)
	}
	return results
}

func (w *world) reports(n int) []task.Report {
	w.t.Helper()
	var reports []task.Report
	for n > 0 {
		deliveries, err := w.inbox.Receive(w.ctx, 1, 30*time.Second)
		require.NoError(w.t, err)
		require.NotEmpty(w.t, deliveries, "no report within 30 s; %d tasks missing\n%s", n, w.log)
		for _, d := range deliveries {
			var e task.Envelope
			require.NoError(w.t, json.Unmarshal(d.Body, &e))
			require.NotNil(w.t, e.Report)
			require.Equal(w.t, d.Key, e.Report.Process)
			reports = append(reports, *e.Report)
			for _, r := range e.Report.Results {
				n -= r.Tasks.Len()
			}
			require.NoError(w.t, w.inbox.Ack(w.ctx, d))
		}
	}
	return reports
}

// result runs one task to its end.
func (w *world) result(work task.Work) task.Result {
	w.t.Helper()
	w.send(work)
	results := w.results(1)
	require.Len(w.t, results, 1)
	return results[0]
}

// failure runs one task that has to fail.
func (w *world) failure(work task.Work) task.Failure {
	w.t.Helper()
	r := w.result(work)
	require.Equal(w.t, task.Failed, r.Outcome)
	require.NotNil(w.t, r.Failure)
	require.LessOrEqual(w.t, len(r.Failure.Error), task.MaxError)
	return *r.Failure
}

// blob stores text and returns a part of it.
func (w *world) blob(key, name, text string) task.Part {
	w.t.Helper()
	b, err := w.blobs.Create(w.ctx, "test/"+rawName(w.t))
	require.NoError(w.t, err)
	_, err = io.WriteString(b, text)
	require.NoError(w.t, err)
	require.NoError(w.t, b.Close())
	ref := b.Ref()
	return task.Part{Key: key, Name: name, Ref: &ref}
}

var names struct {
	sync.Mutex
	last int
}

func rawName(t *testing.T) string {
	t.Helper()
	names.Lock()
	defer names.Unlock()
	names.last++
	return time.Duration(names.last).String()
}

// read is the text of a part.
func (w *world) read(p task.Part) string {
	w.t.Helper()
	r, err := w.blobs.OpenPart(w.ctx, p)
	require.NoError(w.t, err)
	defer r.Close()
	text, err := io.ReadAll(r)
	require.NoError(w.t, err)
	return string(text)
}

// elements is an input of parts, one a task.
func elements(local string, parts ...task.Part) task.Input {
	in := task.Input{Local: local, Mode: task.Element}
	for _, p := range parts {
		in.Lists = append(in.Lists, []task.Part{p})
	}
	return in
}

func whole(local string, parts ...task.Part) task.Input {
	return task.Input{Local: local, Mode: task.Whole, Lists: [][]task.Part{parts}}
}

func value(json string) task.Part { return task.Part{Value: []byte(json)} }

func reads(inputs ...task.Input) func(*task.Work) {
	return func(w *task.Work) { w.Inputs = append(w.Inputs, inputs...) }
}

func writes(locals ...string) func(*task.Work) {
	return func(w *task.Work) {
		for _, local := range locals {
			w.Outputs = append(w.Outputs, task.Output{Local: local, Data: "data-" + local})
		}
	}
}

// logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newInbox is a queue of which Receive takes what workers report.
func newInbox(o mem.Options) *mem.Queue {
	lane, _ := mem.NewQueue(o).Lane(context.Background(), queue.Reports) // the name is one
	return lane.(*mem.Queue)
}

// isolated runs a test under a clock of its own, which moves only when all wait.
func isolated(t *testing.T, name string, test func(t *testing.T, w *world)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, newWorld(t)) })
	})
}

// pending counts the messages of process p on the work queue, once all is quiet.
func (w *world) pending() int {
	w.t.Helper()
	synctest.Wait()
	n, err := w.work.Pending(w.ctx, "p")
	require.NoError(w.t, err)
	return n
}

// gate is a handler that says when it begins and waits to be let through.
type gate struct {
	begun  chan int
	opened chan struct{}
}

func newGate() *gate { return &gate{begun: make(chan int, 1000), opened: make(chan struct{})} }

func (g *gate) handle(ctx context.Context, t *worker.Task) error {
	g.begun <- t.Index()
	select {
	case <-g.opened:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func timeout(d time.Duration) func(*task.Work) {
	return func(w *task.Work) { w.Timeout = task.Duration(d) }
}

func one(o *worker.Options) { o.Slots = 1 }
