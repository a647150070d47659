//go:build unix

package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// feed is a work queue that costs next to nothing, so that what is measured is
// the worker: bodies that were made before, in order, each delivered once.
type feed struct {
	mu     sync.Mutex
	bodies [][]byte
	left   atomic.Int64 // not acknowledged
	empty  chan struct{}
}

func (f *feed) Receive(ctx context.Context, most int, wait time.Duration) ([]queue.Delivery, error) {
	f.mu.Lock()
	n := min(most, len(f.bodies))
	bodies := f.bodies[:n]
	f.bodies = f.bodies[n:]
	f.mu.Unlock()
	if n == 0 {
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	deliveries := make([]queue.Delivery, n)
	for i, body := range bodies {
		deliveries[i] = queue.Delivery{Message: queue.Message{Key: "p", Body: body}, Count: 1}
	}
	return deliveries, nil
}

func (f *feed) Ack(_ context.Context, deliveries ...queue.Delivery) error {
	if f.left.Add(-int64(len(deliveries))) == 0 {
		close(f.empty)
	}
	return nil
}

func (f *feed) Extend(context.Context, ...queue.Delivery) error { return nil }
func (f *feed) Lease() time.Duration                            { return time.Minute }

// drop is an inbox that nobody reads.
type drop struct{ messages, bytes atomic.Int64 }

func (d *drop) Send(_ context.Context, messages ...queue.Message) error {
	for _, m := range messages {
		d.messages.Add(1)
		d.bytes.Add(int64(len(m.Body)))
	}
	return nil
}

// BenchmarkTasks is what a task costs the worker: that is, everything but the
// queues and the handler. ns/op is the time of two slots, cpu-ns/task the
// processor time of all that the worker does.
func BenchmarkTasks(b *testing.B) {
	typed := []task.Output{{Local: "x", Data: "x", JSON: "number"}}
	untyped := []task.Output{{Local: "x", Data: "x"}}
	nothing := func(context.Context, *worker.Task) error { return nil }
	emit := func(_ context.Context, t *worker.Task) error { return t.Emit("x", t.Index()) }
	read := func(_ context.Context, t *worker.Task) error {
		r, err := t.Open("in")
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(io.Discard, r)
		return err
	}
	for _, c := range []struct {
		name    string
		message int // tasks
		outputs []task.Output
		handler worker.HandlerFunc
	}{
		{"no-op in ranges", 20_000, nil, nothing},
		{"no-op one a message", 1, nil, nothing},
		{"typed value in ranges", 20_000, typed, emit},
		{"typed value one a message", 1, typed, emit},
		{"untyped value in ranges", 20_000, untyped, emit},
		{"element read in ranges", 20_000, nil, read},
	} {
		b.Run(c.name, func(b *testing.B) { benchmark(b, c.message, c.outputs, c.handler) })
	}
}

func benchmark(b *testing.B, message int, outputs []task.Output, handler worker.HandlerFunc) {
	blobs, err := blob.Open(b.Context(), "mem://")
	require.NoError(b, err)
	defer blobs.Close()
	work := task.Work{
		Process: "p", Address: "step", Attempt: 1, Run: task.Run{Handler: "h"}, Outputs: outputs,
		Params: map[string]json.RawMessage{"size": []byte("100"), "name": []byte(`"a name of some length"`)},
		Inputs: []task.Input{{Local: "in", Mode: task.Element, Manifest: list(b, blobs, b.N)}},
	}
	header, err := work.Header()
	require.NoError(b, err)
	f := &feed{empty: make(chan struct{})}
	for first := 0; first < b.N; first += message {
		f.bodies = append(f.bodies, header.WithTasks(task.Span(first, min(message, b.N-first))))
	}
	f.left.Store(int64(len(f.bodies)))
	reg, inbox := worker.NewRegistry(), &drop{}
	worker.Handle(reg, "h", handler)
	w, err := worker.New(worker.Options{
		Work: f, Inbox: inbox, Signals: mem.NewSignals(), Blobs: blobs, Registry: reg,
		Slots: 2, Log: slog.New(slog.DiscardHandler), TempDir: b.TempDir(),
	})
	require.NoError(b, err)
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	began := processor()
	ended := make(chan error, 1)
	go func() { ended <- w.Run(context.Background()) }()
	<-f.empty
	b.StopTimer()
	b.ReportMetric(float64(processor()-began)/float64(b.N), "cpu-ns/task")
	b.ReportMetric(float64(inbox.bytes.Load())/float64(b.N), "report-bytes/task")
	b.ReportMetric(float64(b.N)/float64(inbox.messages.Load()), "tasks/report")
	w.Close()
	require.NoError(b, <-ended)
}

// list stores a list of n parts.
func list(b *testing.B, blobs *blob.Store, n int) *task.Manifest {
	m, err := blobs.NewManifest(b.Context(), "list")
	require.NoError(b, err)
	for i := range n {
		require.NoError(b, m.Add(blob.Entry{Index: i, Part: task.Part{Name: fmt.Sprintf("part-%d", i), Value: fmt.Append(nil, i)}}))
	}
	data, err := m.Close()
	require.NoError(b, err)
	return data.Manifest
}

// processor is how long this program has computed.
func processor() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
