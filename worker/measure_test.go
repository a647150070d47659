package worker

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/internal/metrics/metricstest"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

func TestWhatAWorkerExecutesIsCountedByHandlerAndOutcomeWithTheBytesItReadAndWrote(t *testing.T) {
	r, m := newRig(t), metrics.New("test")
	Handle(r.reg, "copy", func(_ context.Context, t *Task) error {
		in, err := t.Open("in")
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := t.Create("out")
		if err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
		return out.Close()
	})
	Handle(r.reg, "fail", func(context.Context, *Task) error { return errors.New("no") })
	w := r.worker(func(o *Options) { o.Metrics = m.Worker() })
	text := value(`"0123456789"`)
	r.send(message(handler("copy"), text))
	r.send(message(handler("copy"), text))
	r.send(message(handler("fail"), text))
	r.send(message(handler("nobody/offers"), text))
	r.send(message(task.Run{Shell: `cp "$DEED_IN/in" "$DEED_OUT/out"`}, text))
	require.NoError(t, r.work.Send(t.Context(), queue.Message{Key: "p", Body: []byte("?")}))
	r.step(w)
	r.step(w)

	told := metricstest.Read(m)
	require.Equal(t, 2, told[`deed_worker_tasks_total{handler="copy",outcome="done"}`])
	require.Equal(t, 1, told[`deed_worker_tasks_total{handler="fail",outcome="failed"}`])
	require.Equal(t, 1, told[`deed_worker_tasks_total{handler="program",outcome="done"}`], "a command line is no label")
	require.Equal(t, 1, told[`deed_worker_tasks_total{handler="(none)",outcome="unserved"}`], "what a message says is no label")
	require.Equal(t, 2, told[`deed_worker_task_duration_seconds_count{handler="copy"}`])
	require.Equal(t, 36, told["deed_worker_read_bytes_total"], "two handlers and a program read twelve bytes each")
	require.Equal(t, 36, told["deed_worker_written_bytes_total"])
	require.Equal(t, 5, told["deed_worker_report_tasks_sum"])
	require.Equal(t, 1, told["deed_worker_quarantined_total"])
}

func TestAWorkerIsReadyWhileItReceivesAndNotOnceItLeaves(t *testing.T) {
	r, m := newRig(t), metrics.New("test")
	broken := &breakable{Queue: r.work}
	w := r.worker(func(o *Options) { o.Work, o.Metrics = broken, m.Worker() })
	require.ErrorContains(t, w.Ready(), "has not begun")
	ended := make(chan error, 1)
	go func() { ended <- w.Run(t.Context()) }()
	ready := func() bool { return w.Ready() == nil }
	require.Eventually(t, ready, 10*time.Second, time.Millisecond)
	require.Equal(t, 2, metricstest.Read(m)["deed_worker_slots"])

	broken.set(errors.New("away"))
	require.Eventually(t, func() bool { return !ready() }, 10*time.Second, time.Millisecond)
	require.ErrorContains(t, w.Ready(), "cannot receive")
	require.Positive(t, metricstest.Read(m)[`deed_worker_failures_total{operation="receive"}`])
	broken.set(nil)
	require.Eventually(t, ready, 10*time.Second, time.Millisecond)

	w.Drain()
	require.NoError(t, <-ended)
	require.ErrorContains(t, w.Ready(), "leaves")
	require.NotContains(t, metricstest.Read(m), "deed_worker_slots", "a worker that has left has none")
}

func TestATaskThatIsCancelledIsCountedAsDroppedAndNotAsFailed(t *testing.T) {
	r, m := newRig(t), metrics.New("test")
	begun := make(chan struct{})
	Handle(r.reg, "wait", func(ctx context.Context, _ *Task) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	})
	w := r.worker(func(o *Options) { o.Metrics = m.Worker() })
	ended := make(chan error, 1)
	go func() { ended <- w.Run(t.Context()) }()
	work := message(handler("wait"), value(`1`))
	r.send(work)
	<-begun
	require.NoError(t, w.cancelled(t.Context(), []byte(`{"process":"`+work.Process+`"}`)))
	w.Drain()
	require.NoError(t, <-ended)
	told := metricstest.Read(m)
	require.Equal(t, 1, told[`deed_worker_tasks_total{handler="wait",outcome="dropped"}`])
	require.Zero(t, told[`deed_worker_tasks_total{handler="wait",outcome="failed"}`])
}

// breakable is a queue from which nothing can be received while it is broken.
type breakable struct {
	queue.Queue
	why atomic.Pointer[error]
}

func (b *breakable) set(why error) {
	b.why.Store(&why)
}

func (b *breakable) Receive(ctx context.Context, most int, wait time.Duration) ([]queue.Delivery, error) {
	if why := b.why.Load(); why != nil && *why != nil {
		return nil, *why
	}
	return b.Queue.Receive(ctx, most, min(wait, time.Millisecond))
}
