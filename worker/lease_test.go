package worker_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestLeases(t *testing.T) {
	isolated(t, "a message is not delivered again while its task runs", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		w.run()
		w.send(job(task.Of(0)))
		<-g.begun
		time.Sleep(10 * w.work.Lease())
		again, err := w.work.Receive(w.ctx, 1, 0)
		require.NoError(t, err)
		assert.Empty(t, again)
		close(g.opened)
		assert.Equal(t, task.Done, w.results(1)[0].Outcome)
	})

	isolated(t, "a short outage of the queue costs nothing", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		away := &flaky{Queue: w.work}
		w.run(func(o *worker.Options) { o.Work = away })
		w.send(job(task.Of(0)))
		<-g.begun
		away.extend.Store(2)
		time.Sleep(3 * w.work.Lease())
		close(g.opened)
		assert.Equal(t, task.Done, w.results(1)[0].Outcome)
	})

	for name, err := range map[string]error{
		"a lease that the queue refuses to extend": errors.New("it belongs to somebody else"),
		"an outage longer than the lease":          queue.ErrUnavailable,
	} {
		isolated(t, name+" cancels the task, which is neither reported nor acknowledged", func(t *testing.T, w *world) {
			ended := make(chan error, 1)
			w.handle("h", func(ctx context.Context, _ *worker.Task) error {
				<-ctx.Done()
				ended <- context.Cause(ctx)
				return nil
			})
			away := &flaky{Queue: w.work, err: err}
			r := w.run(func(o *worker.Options) { o.Work = away })
			w.send(job(task.Of(0)))
			synctest.Wait()
			away.extend.Store(1000)
			away.receive.Store(1000)
			require.ErrorContains(t, <-ended, "the lease on the message was lost")
			r.Close()
			<-r.ended
			require.NoError(t, r.err)
			assert.Equal(t, 1, w.pending())
			reports, err := w.inbox.Receive(w.ctx, 10, 0)
			require.NoError(t, err)
			assert.Empty(t, reports)
		})
	}
}

// flaky is a queue whose next calls fail, so often as each number says.
type flaky struct {
	queue.Queue
	send, receive, ack, extend atomic.Int32
	err                        error // nil: unavailable
}

func (f *flaky) fails(n *atomic.Int32) error {
	if n.Add(-1) < 0 {
		n.Store(0)
		return nil
	}
	if f.err != nil {
		return f.err
	}
	return queue.ErrUnavailable
}

func (f *flaky) Send(ctx context.Context, m ...queue.Message) error {
	if err := f.fails(&f.send); err != nil {
		return err
	}
	return f.Queue.Send(ctx, m...)
}

func (f *flaky) Receive(ctx context.Context, most int, wait time.Duration) ([]queue.Delivery, error) {
	if err := f.fails(&f.receive); err != nil {
		return nil, err
	}
	return f.Queue.Receive(ctx, most, wait)
}

func (f *flaky) Ack(ctx context.Context, d ...queue.Delivery) error {
	if err := f.fails(&f.ack); err != nil {
		return err
	}
	return f.Queue.Ack(ctx, d...)
}

func (f *flaky) Extend(ctx context.Context, d ...queue.Delivery) error {
	if err := f.fails(&f.extend); err != nil {
		return err
	}
	return f.Queue.Extend(ctx, d...)
}
