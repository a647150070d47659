package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestARunOfTasksOfWhichOneGoesWrong(t *testing.T) {
	isolated(t, "goes on after a panic, a Goexit and an error, which fail one task each, and name its element", func(t *testing.T, w *world) {
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			switch t.Index() {
			case 3:
				return errors.New("bad luck")
			case 7:
				panic("at the disco")
			case 8, 9:
				runtime.Goexit()
			}
			return nil
		})
		w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40), called(40)), job(task.Span(40, 40)))
		results := w.results(80)
		failed := task.Of(3, 7, 8, 9)
		require.Equal(t, map[task.Outcome]task.Ranges{task.Failed: failed, task.Done: task.Span(0, 80).Minus(failed)}, byOutcome(t, results))
		for _, r := range results {
			if r.Outcome == task.Failed {
				require.Equal(t, fmt.Sprintf("e%d", r.Tasks[0].First), r.Failure.Element)
				require.Contains(t, r.Failure.Error, map[int]string{3: "bad luck", 7: "at the disco", 8: "runtime.Goexit", 9: "runtime.Goexit"}[r.Tasks[0].First])
			}
		}
	})

	isolated(t, "has a timeout for each task", func(t *testing.T, w *world) {
		m := newMiddle(func(ctx context.Context, _ *worker.Task) error { <-ctx.Done(); return ctx.Err() })
		w.handle("h", func(ctx context.Context, t *worker.Task) error {
			time.Sleep(400 * time.Microsecond) // all together take longer than the timeout
			return errors.Join(ctx.Err(), m.handle(ctx, t))
		})
		w.run(one)
		limit := timeout(2 * time.Millisecond)
		w.warm(limit)
		w.send(job(task.Span(0, 40), limit))
		results := w.results(40)
		require.Equal(t, map[task.Outcome]task.Ranges{task.Failed: task.Of(7), task.Done: task.Span(0, 40).Minus(task.Of(7))}, byOutcome(t, results))
		for _, r := range results {
			if r.Failure != nil {
				require.Equal(t, task.TimedOut, r.Failure.Verdict)
			}
		}
		require.Equal(t, []int{1000, 0, 1, 2, 3, 4, 5, 6, 7}, m.called[:9])
	})

	isolated(t, "leaves a handler behind that ignores the end of its context: only its task fails", func(t *testing.T, w *world) {
		deaf := make(chan struct{})
		m := newMiddle(func(context.Context, *worker.Task) error { <-deaf; return nil })
		w.handle("h", m.handle)
		r := w.run()
		limit := timeout(time.Second)
		w.warm(limit)
		w.send(job(task.Span(0, 40), limit))
		require.Equal(t, map[task.Outcome]task.Ranges{task.Failed: task.Of(7), task.Done: task.Span(0, 40).Minus(task.Of(7))}, byOutcome(t, w.results(40)))
		require.Equal(t, 1, r.Abandoned())
		require.Len(t, m.called, 41, "each was called once")
		close(deaf)
		synctest.Wait()
		require.Zero(t, w.count(w.inbox), "what it makes of it in the end is nobody's")
	})

	isolated(t, "reports a task once whose handler returns as it is abandoned", func(t *testing.T, w *world) {
		deaf := make(chan struct{})
		m := newMiddle(func(context.Context, *worker.Task) error { <-deaf; return nil })
		w.handle("h", m.handle)
		r := w.run(w.says(func(message string) {
			if message == "worker: a task failed" {
				close(deaf)
				time.Sleep(time.Millisecond)
			}
		}))
		limit := timeout(time.Second)
		w.warm(limit)
		w.send(job(task.Span(0, 40), limit))
		require.Equal(t, map[task.Outcome]task.Ranges{task.Failed: task.Of(7), task.Done: task.Span(0, 40).Minus(task.Of(7))}, byOutcome(t, w.results(40)))
		require.Equal(t, 1, r.Abandoned())
		require.Zero(t, w.pending())
	})

	isolated(t, "does not abandon a handler that ends in time, however long it takes to note how", func(t *testing.T, w *world) {
		m := newMiddle(func(ctx context.Context, _ *worker.Task) error {
			<-ctx.Done()
			panic("at the disco")
		})
		w.handle("h", m.handle)
		r := w.run(w.says(func(message string) {
			if message == "worker: a handler panicked" {
				time.Sleep(10 * time.Second) // longer than the grace
			}
		}))
		limit := timeout(time.Second)
		w.warm(limit)
		w.send(job(task.Span(0, 40), limit))
		for _, result := range w.results(40) {
			if result.Outcome == task.Failed {
				require.Equal(t, task.Of(7), result.Tasks)
				require.Contains(t, result.Failure.Error, "at the disco")
			}
		}
		require.Zero(t, r.Abandoned())
	})
}

// says calls a function with what the worker logs, as it does.
func (w *world) says(hear func(message string)) func(*worker.Options) {
	return func(o *worker.Options) { o.Log = slog.New(heard{slog.NewTextHandler(w.log, nil), hear}) }
}

type heard struct {
	slog.Handler
	hear func(message string)
}

func (h heard) WithAttrs(attrs []slog.Attr) slog.Handler {
	return heard{h.Handler.WithAttrs(attrs), h.hear}
}

func (h heard) Handle(ctx context.Context, r slog.Record) error {
	h.hear(r.Message)
	return h.Handler.Handle(ctx, r)
}
