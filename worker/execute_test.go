package worker_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestTheEndOfAHandler(t *testing.T) {
	isolated(t, "a timeout is a verdict of its own, and says what the handler said", func(t *testing.T, w *world) {
		w.handle("h", func(ctx context.Context, _ *worker.Task) error {
			<-ctx.Done()
			return errors.New("at row 17")
		})
		w.run()
		f := w.failure(job(task.Of(0), timeout(time.Second)))
		assert.Equal(t, task.Failure{Error: "ran longer than its timeout of 1s: at row 17", Verdict: task.TimedOut}, f)
	})

	isolated(t, "a handler that ignores its context is abandoned after a grace, and the slot goes on", func(t *testing.T, w *world) {
		deaf := make(chan struct{})
		w.handle("deaf", func(context.Context, *worker.Task) error { <-deaf; return nil })
		w.handle("h", nothing)
		r := w.run(func(o *worker.Options) { o.Slots, o.Grace = 1, 4*time.Second })
		begun := time.Now()
		f := w.failure(job(task.Of(0), timeout(2*time.Second), func(w *task.Work) { w.Run.Handler = "deaf" }))
		assert.Equal(t, 6*time.Second, time.Since(begun).Round(time.Second))
		assert.Equal(t, task.TimedOut, f.Verdict)
		assert.Equal(t, 1, r.Abandoned())
		assert.Equal(t, task.Done, w.result(job(task.Of(1))).Outcome)
		close(deaf)
	})

	isolated(t, "a handler that ends in time although its context ended is done", func(t *testing.T, w *world) {
		w.handle("h", func(ctx context.Context, _ *worker.Task) error { <-ctx.Done(); return nil })
		w.run()
		assert.Equal(t, task.Done, w.result(job(task.Of(0), timeout(time.Second))).Outcome)
	})

	t.Run("a panic fails the task with the handler's own frames, and so does Goexit", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(context.Context, *worker.Task) error {
			panic("at the disco")
		})
		w.handle("exit", func(context.Context, *worker.Task) error { runtime.Goexit(); return nil })
		w.handle("error", func(context.Context, *worker.Task) error { return (*broken)(nil) })
		w.run()
		f := w.failure(job(task.Of(0)))
		assert.Equal(t, task.Retry, f.Verdict)
		assert.Contains(t, f.Error, "panic: at the disco")
		assert.Contains(t, f.Error, "execute_test.go:")
		assert.NotContains(t, f.Error, "worker.protect")
		assert.Contains(t, w.failure(job(task.Of(0), func(w *task.Work) { w.Run.Handler = "exit" })).Error, "runtime.Goexit")
		assert.Contains(t, w.failure(job(task.Of(0), func(w *task.Work) { w.Run.Handler = "error" })).Error, "nil")
	})

	t.Run("an error keeps head and tail within the bound, as text", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(context.Context, *worker.Task) error {
			return errors.New("head \xff" + strings.Repeat("ü", 3000) + " tail")
		})
		w.run()
		f := w.failure(job(task.Of(0)))
		assert.Regexp(t, `^head �ü+ … \[\d+ bytes left out\] … ü+ tail$`, f.Error)
	})
}

// broken is an error that cannot even say what it is.
type broken struct{ text string }

func (b *broken) Error() string { return b.text }
