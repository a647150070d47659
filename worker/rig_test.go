package worker

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
)

// rig is a worker on memory backends, stepped from one goroutine. The test
// plays the orchestrator.
type rig struct {
	t          *testing.T
	now        time.Time
	work       *memqueue.Queue
	inbox      *memqueue.Queue
	quarantine *memqueue.Queue
	signals    queue.Signals
	blobs      *blob.Store
	reg        *Registry
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), signals: memqueue.NewSignals(), reg: NewRegistry()}
	newQueue := func() *memqueue.Queue {
		return memqueue.NewQueue(memqueue.Options{Lease: 10 * time.Second, Now: func() time.Time { return r.now }})
	}
	r.work, r.inbox, r.quarantine = newQueue(), laneOfReports(t, newQueue()), newQueue()
	var err error
	r.blobs, err = blob.Open(t.Context(), "mem://")
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.blobs.Close() })
	return r
}

func (r *rig) worker(change ...func(*Options)) *Worker {
	r.t.Helper()
	o := Options{
		Name: "w1", Work: r.work, Inbox: r.inbox, Signals: r.signals, Blobs: r.blobs, Registry: r.reg,
		Quarantine: r.quarantine, Slots: 2, ProgramGrace: 200 * time.Millisecond, Grace: 100 * time.Millisecond,
		TempDir: r.t.TempDir(), Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&o)
	}
	w, err := New(o)
	require.NoError(r.t, err)
	return w
}

// message is one task of a step that runs something over one element.
func message(run task.Run, element ...task.Part) task.Work {
	w := task.Work{
		Process: "p", Address: "step", Attempt: 1, Tasks: task.Span(0, 1), Run: run,
		Outputs: []task.Output{{Local: "out", Data: "result"}},
	}
	if len(element) > 0 {
		w.Inputs = []task.Input{{Local: "in", Mode: task.Element, Lists: [][]task.Part{element}}}
	}
	return w
}

func handler(name string) task.Run { return task.Run{Handler: name} }

func value(json string) task.Part { return task.Part{Value: []byte(json)} }

func (r *rig) send(w task.Work) {
	r.t.Helper()
	body, err := json.Marshal(w)
	require.NoError(r.t, err)
	require.NoError(r.t, r.work.Send(r.t.Context(), queue.Message{Key: w.Process, Body: body}))
}

// step lets a worker do what is due now.
func (r *rig) step(w *Worker) {
	r.t.Helper()
	for range 30 {
		_, err := w.Step(r.t.Context(), r.now)
		require.NoError(r.t, err)
		r.now = r.now.Add(5 * time.Millisecond)
	}
}

// results takes what was reported.
func (r *rig) results() []task.Result {
	r.t.Helper()
	deliveries, err := r.inbox.Receive(r.t.Context(), 100, 0)
	require.NoError(r.t, err)
	require.NoError(r.t, r.inbox.Ack(r.t.Context(), deliveries...))
	var all []task.Result
	for _, d := range deliveries {
		var e task.Envelope
		require.NoError(r.t, json.Unmarshal(d.Body, &e))
		require.Equal(r.t, d.Key, e.Report.Process)
		all = append(all, e.Report.Results...)
	}
	return all
}

// do executes one message and returns its only result.
func (r *rig) do(w task.Work) task.Result {
	r.t.Helper()
	r.send(w)
	r.step(r.worker())
	results := r.results()
	require.Len(r.t, results, 1)
	return results[0]
}

// written is what a task wrote, in order: key/name and content.
func (r *rig) written(res task.Result) []string {
	r.t.Helper()
	parts := res.Parts
	if res.Manifest != nil {
		for p, err := range r.blobs.ReadReport(r.t.Context(), *res.Manifest) {
			require.NoError(r.t, err)
			parts = append(parts, p)
		}
	}
	var all []string
	for _, p := range parts {
		in, err := r.blobs.OpenPart(r.t.Context(), p.Part)
		require.NoError(r.t, err)
		text, err := io.ReadAll(in)
		require.NoError(r.t, err)
		require.NoError(r.t, in.Close())
		all = append(all, p.Key+"/"+p.Name+": "+string(text))
	}
	return all
}

func write(ctx context.Context, t *Task, key, text string) error {
	out, err := t.CreateKeyed("out", key)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	return out.Close()
}

// laneOfReports is a queue of which Receive takes what workers report.
func laneOfReports(t *testing.T, q *memqueue.Queue) *memqueue.Queue {
	t.Helper()
	lane, err := q.Lane(t.Context(), queue.Reports)
	require.NoError(t, err)
	return lane.(*memqueue.Queue)
}
