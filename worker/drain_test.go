package worker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestLeaving(t *testing.T) {
	isolated(t, "a drain lets run what runs, hands back what has not begun, and reports both", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		r := w.run()
		w.send(job(task.Span(0, 10)))
		<-g.begun
		<-g.begun
		r.Drain()
		synctest.Wait()
		close(g.opened)
		<-r.ended
		require.NoError(t, r.err)
		tasks := map[task.Outcome]task.Ranges{}
		for _, result := range w.results(10) {
			tasks[result.Outcome] = tasks[result.Outcome].Union(result.Tasks)
		}
		assert.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 2), task.Returned: task.Span(2, 8)}, tasks)
		assert.Zero(t, w.pending())
	})

	isolated(t, "what runs longer than the drain may take is cancelled and handed back", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		ctx, cancel := context.WithCancel(w.ctx)
		w.ctx = ctx
		r := w.run(func(o *worker.Options) { o.DrainTimeout = time.Minute })
		w.ctx = context.WithoutCancel(ctx)
		w.send(job(task.Of(0)))
		<-g.begun
		begun := time.Now()
		cancel()
		<-r.ended
		require.NoError(t, r.err)
		assert.Equal(t, time.Minute, time.Since(begun).Round(time.Second))
		result := w.results(1)[0]
		assert.Equal(t, task.Returned, result.Outcome)
		assert.Nil(t, result.Failure)
		assert.Zero(t, w.pending())
	})

	isolated(t, "Close does not wait, not even for a handler that ignores its context", func(t *testing.T, w *world) {
		deaf := make(chan struct{})
		w.handle("h", func(context.Context, *worker.Task) error { <-deaf; return nil })
		r := w.run(func(o *worker.Options) { o.DrainTimeout, o.Grace = time.Hour, time.Hour })
		w.send(job(task.Of(0)))
		synctest.Wait()
		begun := time.Now()
		r.Drain()
		r.Close()
		<-r.ended
		assert.Less(t, time.Since(begun), time.Second)
		assert.Equal(t, task.Returned, w.results(1)[0].Outcome)
		close(deaf)
	})

	isolated(t, "a signal that names it makes it leave, and it says at once that it takes nothing more", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		heard := w.hear()
		r := w.run()
		w.send(job(task.Span(0, 5)))
		<-g.begun
		<-g.begun
		heard()
		for _, body := range []string{`{"worker":"w2"}`, `{"worker":""}`, `nonsense`} {
			require.NoError(t, w.signals.Publish(w.ctx, "drain", []byte(body)))
		}
		require.Empty(t, heard())
		require.False(t, r.Drained())
		require.NoError(t, w.signals.Publish(w.ctx, "drain", []byte(`{"worker":"w1"}`)))
		beats := heard()
		require.Len(t, beats, 1)
		require.True(t, beats[0].Draining)
		require.True(t, r.Drained())
		back := w.results(3)[0]
		require.Equal(t, []any{task.Span(2, 3), task.Returned}, []any{back.Tasks, back.Outcome})
		close(g.opened)
		<-r.ended
		require.NoError(t, r.err)
		require.Equal(t, task.Done, w.results(2)[0].Outcome)
		require.Zero(t, w.pending())
	})

	isolated(t, "what waits for a slot, or for room, is handed back as well, at no cost", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		r := w.run(func(o *worker.Options) { o.Pool, o.Slots, o.Offer = "big", 2, task.Resources{CPU: 2, Memory: 32 * gb} })
		big := func(tasks task.Ranges) task.Work {
			return job(tasks, needs(task.Resources{Memory: 20 * gb}), func(w *task.Work) { w.Pool = "big" })
		}
		w.send(big(task.Of(0)))
		<-g.begun
		w.send(big(task.Span(1, 2))) // no room
		synctest.Wait()
		r.Drain()
		back := w.results(2)
		require.Equal(t, []task.Result{{Address: "step", Attempt: 1, Tasks: task.Span(1, 2), Outcome: task.Returned}}, back)
		close(g.opened)
		<-r.ended
		require.NoError(t, r.err)
		require.Equal(t, task.Done, w.results(1)[0].Outcome)
		require.Zero(t, w.pending())
	})

	isolated(t, "a worker that cannot report leaves all the same and says so", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		away := &flaky{Queue: w.inbox}
		away.send.Store(1_000_000)
		r := w.run(func(o *worker.Options) { o.Inbox = away })
		w.send(job(task.Of(0)))
		<-g.begun
		close(g.opened)
		r.Drain()
		<-r.ended
		require.ErrorContains(t, r.err, "leave: 1 results could not be reported in time")
		assert.Equal(t, 1, w.pending())
	})

	isolated(t, "an idle worker leaves within the time of one look into the queue, and runs only once", func(t *testing.T, w *world) {
		r := w.run()
		synctest.Wait()
		begun := time.Now()
		r.Drain()
		<-r.ended
		assert.LessOrEqual(t, time.Since(begun), 250*time.Millisecond)
		require.ErrorContains(t, r.Run(w.ctx), "it ran before")
		_, err := r.Step(w.ctx, time.Now())
		require.ErrorContains(t, err, "it ran before")
	})
}
