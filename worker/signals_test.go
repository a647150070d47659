package worker_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestCancelling(t *testing.T) {
	isolated(t, "a cancel ends the tasks of the process, and their messages", func(t *testing.T, w *world) {
		ended := make(chan error, 2)
		w.handle("h", func(ctx context.Context, _ *worker.Task) error {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return ctx.Err()
		})
		w.handle("other", nothing)
		w.run()
		w.send(job(task.Span(0, 100)))
		synctest.Wait()
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", []byte(`{"process":"q"}`)))
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", []byte(`nonsense`)))
		assert.Equal(t, 1, w.pending())
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", []byte(`{"process":"p"}`)))
		require.ErrorContains(t, <-ended, "the task was cancelled")
		require.ErrorContains(t, <-ended, "the task was cancelled")
		assert.Zero(t, w.pending())
		w.send(job(task.Of(0), func(w *task.Work) { w.Process, w.Run.Handler = "q", "other" }))
		reports := w.reports(1)
		assert.Equal(t, []string{"q"}, []string{reports[0].Process})
	})

	isolated(t, "a cancel of older generations ends only those, begun or not", func(t *testing.T, w *world) {
		ended := make(chan string, 10)
		g := newGate()
		w.handle("h", func(ctx context.Context, t *worker.Task) error {
			err := g.handle(ctx, t)
			ended <- t.ID()
			return err
		})
		w.run(func(o *worker.Options) { o.Slots = 3 })
		of := func(address string, generation int, tasks task.Ranges) task.Work {
			return job(tasks, func(w *task.Work) { w.Address, w.Generation = address, generation })
		}
		w.send(of("old", 0, task.Of(0)), of("new", 1, task.Of(0)), of("other", 0, task.Span(0, 5)))
		for range 3 {
			<-g.begun
		}
		cancel, err := json.Marshal(task.Cancel{Process: "p", Before: map[string]int{"old": 1, "new": 1}})
		require.NoError(t, err)
		begun := time.Now()
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", cancel))
		require.Equal(t, "p/old[0]", <-ended)
		require.Less(t, time.Since(begun), time.Millisecond)
		require.Equal(t, 2, w.pending())

		cancel, err = json.Marshal(task.Cancel{Process: "p", Before: map[string]int{"other": 1}})
		require.NoError(t, err)
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", cancel))
		<-ended
		require.Equal(t, 1, w.pending(), "what had not begun of it is dropped too")
		close(g.opened)
		results := w.results(1)
		require.Equal(t, []any{"new", 1, task.Done}, []any{results[0].Address, results[0].Generation, results[0].Outcome})
		require.Len(t, g.begun, 1, "the one that took the slot of the first; none began after its cancel")
		require.Zero(t, w.pending())
	})
}
