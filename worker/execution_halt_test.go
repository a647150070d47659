package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestARunOfTasksThatIsGivenUp(t *testing.T) {
	isolated(t, "that stands still keeps nothing from other workers, though its only slot has begun the message", func(t *testing.T, w *world) {
		opened := make(chan struct{})
		m := newMiddle(func(context.Context, *worker.Task) error { <-opened; return nil })
		w.handle("h", m.handle)
		w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40)))
		<-m.begun
		begun := time.Now()
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 7), task.Returned: task.Span(8, 32)}, byOutcome(t, w.results(39)))
		require.LessOrEqual(t, time.Since(begun), 2*time.Second+receiveWait)
		close(opened)
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Of(7)}, byOutcome(t, w.results(1)))
		time.Sleep(time.Second)
		require.Zero(t, w.pending())
	})

	isolated(t, "ends with its process: nothing more of it begins or is reported", func(t *testing.T, w *world) {
		cause := make(chan error, 1)
		m := newMiddle(func(ctx context.Context, _ *worker.Task) error { <-ctx.Done(); cause <- context.Cause(ctx); return nil })
		w.handle("h", m.handle)
		w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40)))
		<-m.begun
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", []byte(`{"process":"p"}`)))
		require.ErrorContains(t, <-cause, "the task was cancelled")
		time.Sleep(time.Second)
		require.Equal(t, task.Span(0, 8).Union(task.Of(1000)), m.calls())
		require.Zero(t, w.count(w.inbox))
		require.Zero(t, w.pending())
	})

	isolated(t, "is handed back by a worker that leaves, but for what has begun", func(t *testing.T, w *world) {
		opened := make(chan struct{})
		m := newMiddle(func(context.Context, *worker.Task) error { <-opened; return nil })
		w.handle("h", m.handle)
		r := w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40)))
		<-m.begun
		r.Drain()
		begun := time.Now()
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 7), task.Returned: task.Span(8, 32)}, byOutcome(t, w.results(39)))
		require.Less(t, time.Since(begun), receiveWait)
		close(opened)
		<-r.ended
		require.NoError(t, r.err)
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Of(7)}, byOutcome(t, w.results(1)))
		require.Zero(t, w.pending())
	})

	isolated(t, "whose message is lost ends there; what was reported of it counts", func(t *testing.T, w *world) {
		cause := make(chan error, 1)
		m := newMiddle(func(ctx context.Context, _ *worker.Task) error { <-ctx.Done(); cause <- context.Cause(ctx); return nil })
		w.handle("h", m.handle)
		w.work = mem.NewQueue(mem.Options{Lease: 2 * time.Second}) // it is lost before what has not begun goes back
		away := &flaky{Queue: w.work, err: errors.New("it belongs to somebody else")}
		r := w.run(one, func(o *worker.Options) { o.Work = away })
		w.warm()
		w.send(job(task.Span(0, 40)))
		<-m.begun
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 7)}, byOutcome(t, w.results(7)))
		away.extend.Store(1000)
		away.receive.Store(1000)
		require.ErrorContains(t, <-cause, "the lease on the message was lost")
		r.Close()
		<-r.ended
		require.NoError(t, r.err)
		require.Zero(t, w.count(w.inbox))
		require.Equal(t, task.Span(0, 8).Union(task.Of(1000)), m.calls())
		require.Equal(t, 1, w.pending())
	})

	isolated(t, "over several messages loses the tasks of one, and no other", func(t *testing.T, w *world) {
		cause := make(chan error, 1)
		m := newMiddle(func(ctx context.Context, _ *worker.Task) error { <-ctx.Done(); cause <- context.Cause(ctx); return nil })
		w.handle("h", m.handle)
		w.work = mem.NewQueue(mem.Options{Lease: 3 * time.Millisecond})
		w.run(one, func(o *worker.Options) { o.Work = &denied{w.work, `"tasks":"7"`} })
		w.warm()
		for i := range 40 {
			w.send(job(task.Of(i)))
		}
		<-m.begun
		require.ErrorContains(t, <-cause, "the lease on the message was lost")
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 40).Minus(task.Of(7))}, byOutcome(t, w.results(39)))
		require.Equal(t, 1, w.pending())
		require.Equal(t, task.Span(0, 40).Union(task.Of(1000)), m.calls())
	})

	isolated(t, "does not begin what was lost while another task of it was executed", func(t *testing.T, w *world) {
		m := newMiddle(func(context.Context, *worker.Task) error { time.Sleep(3 * time.Millisecond); return nil })
		w.handle("h", m.handle)
		w.work = mem.NewQueue(mem.Options{Lease: 3 * time.Millisecond})
		w.run(one, func(o *worker.Options) { o.Work = &denied{w.work, `"tasks":"8"`} })
		w.warm()
		for i := range 40 {
			w.send(job(task.Of(i)))
		}
		require.Equal(t, map[task.Outcome]task.Ranges{task.Lost: task.Of(8), task.Done: task.Span(0, 40).Minus(task.Of(8))}, byOutcome(t, w.results(40)))
		require.False(t, m.calls().Contains(8))
	})

	isolated(t, "begins no other task once the worker is told to leave", func(t *testing.T, w *world) {
		var r *running
		m := newMiddle(func(context.Context, *worker.Task) error {
			r.Drain()
			time.Sleep(time.Millisecond)
			return nil
		})
		w.handle("h", m.handle)
		r = w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40)))
		<-r.ended
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 8), task.Returned: task.Span(8, 32)}, byOutcome(t, w.results(40)))
	})
}

// receiveWait is a little more than one look into the work queue takes.
const receiveWait = 250 * time.Millisecond

// denied refuses to extend the leases of some messages.
type denied struct {
	queue.Queue
	text string
}

func (d *denied) Extend(ctx context.Context, deliveries ...queue.Delivery) error {
	for _, one := range deliveries {
		if strings.Contains(string(one.Body), d.text) {
			return errors.New("it belongs to somebody else")
		}
	}
	return d.Queue.Extend(ctx, deliveries...)
}
