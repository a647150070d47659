package worker_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// printed are the logs of the process: of each a line with its name, then
// stream and text of what it holds.
func (w *world) printed() []string {
	w.t.Helper()
	logs, err := w.blobs.Logs(w.ctx, "p", "")
	require.NoError(w.t, err)
	var all []string
	for _, log := range logs {
		all = append(all, log.String())
		for line, err := range w.blobs.OpenLog(log.LogName).Lines(w.ctx) {
			require.NoError(w.t, err)
			all = append(all, fmt.Sprintf("%s %s", line.Stream, line.Text))
		}
	}
	return all
}

func TestWhatATaskPrintsIsKept(t *testing.T) {
	t.Run("what a handler logs is a log for each attempt that logs anything", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			if t.Index() == 1 {
				t.Logf("attempt %d\nof %s\n", t.Attempt(), t.ID())
			}
			return nil
		})
		w.run()
		w.send(job(task.Of(0, 1, 2)), job(task.Of(1), func(w *task.Work) { w.Attempt = 2 }))
		w.results(4)
		assert.Equal(t, []string{
			"p/step[1] attempt 1", "log attempt 1", "log of p/step[1]",
			"p/step[1] attempt 2", "log attempt 2", "log of p/step[1]",
		}, w.printed())
		assert.Contains(t, w.log.String(), `msg="attempt 1\nof p/step[1]" worker=w1 process=p address=step index=1 attempt=1`)
	})

	t.Run("also if nobody reads the worker's log", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error { t.Logf("hello"); return nil })
		w.run(func(o *worker.Options) { o.Log = slog.New(slog.DiscardHandler) })
		w.result(job(task.Of(0)))
		assert.Equal(t, []string{"p/step[0] attempt 1", "log hello"}, w.printed())
	})

	t.Run("standard output and error of a program, line by line", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.result(job(task.Of(0), shell(`echo one; sleep 0.05; echo two >&2; sleep 0.05; printf three`)))
		assert.Equal(t, []string{"p/step[0] attempt 1", "out one", "err two", "out three"}, w.printed())
	})

	t.Run("what a program printed before it was killed, and the stack of a panic", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(context.Context, *worker.Task) error { panic("at the disco") })
		w.run(func(o *worker.Options) { o.ProgramGrace = 50 * time.Millisecond })
		w.failure(job(task.Of(0), timeout(300*time.Millisecond), shell(`trap '' TERM; echo begun; printf 'half a line'; while :; do sleep 1; done`)))
		w.failure(job(task.Of(1)))
		all := w.printed()
		assert.Equal(t, []string{"p/step[0] attempt 1", "out begun", "out half a line", "p/step[1] attempt 1", "err panic: at the disco"}, all[:5])
		assert.Contains(t, strings.Join(all, "\n"), "printed_test.go:")
	})

	isolated(t, "a line can be read elsewhere two seconds later, while the task runs", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", func(ctx context.Context, t *worker.Task) error {
			t.Logf("begun")
			return g.handle(ctx, t)
		})
		w.run()
		w.send(job(task.Of(0)))
		time.Sleep(1900 * time.Millisecond)
		assert.Empty(t, w.printed())
		time.Sleep(101 * time.Millisecond)
		assert.Equal(t, []string{"p/step[0] attempt 1", "log begun"}, w.printed())
		close(g.opened)
		w.results(1)
	})

	t.Run("what cannot be stored fails no task, and is said once", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error { t.Logf("hello"); return nil })
		w.run()
		for i := range 3 { // the store refuses such keys
			assert.Equal(t, task.Done, w.result(job(task.Of(i), func(w *task.Work) { w.Address = "a__0xb" })).Outcome)
		}
		assert.Equal(t, 1, strings.Count(w.log.String(), "what a task printed could not be stored"), w.log)
	})

	t.Run("what an abandoned handler logs is in no log", func(t *testing.T) {
		w := newWorld(t)
		release, ended := make(chan struct{}), make(chan struct{})
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			defer close(ended)
			t.Logf("in time")
			<-release
			t.Logf("too late")
			return nil
		})
		w.run(func(o *worker.Options) { o.Grace = time.Millisecond })
		w.failure(job(task.Of(0), timeout(50*time.Millisecond)))
		close(release)
		<-ended
		assert.Equal(t, []string{"p/step[0] attempt 1", "log in time"}, w.printed())
	})

	t.Run("a stepped worker stores the same bytes each time, and all of them in its own turn", func(t *testing.T) {
		stored := func() (all []blob.Log, text []string) {
			w, now := stepped(t)
			w.handle("h", func(_ context.Context, t *worker.Task) error {
				t.Logf("hello from %d", t.Index())
				return t.Emit("out", t.Index())
			})
			nonce := 0
			made := w.worker(func(o *worker.Options) {
				o.Nonce = func() string { nonce++; return fmt.Sprint("n", nonce) }
			})
			w.send(job(task.Span(0, 3), writes("out")))
			for range 40 {
				*now = now.Add(10 * time.Millisecond)
				_, err := made.Step(w.ctx, *now)
				require.NoError(t, err)
			}
			all, err := w.blobs.Logs(w.ctx, "p", "")
			require.NoError(t, err)
			for i := range all {
				all[i].Changed = time.Time{}
			}
			return all, w.printed()
		}
		logs, lines := stored()
		again, linesAgain := stored()
		require.Len(t, logs, 3)
		assert.Equal(t, logs, again)
		assert.Equal(t, lines, linesAgain)
	})
}

func TestATaskThatPrintsNothingHasNoLog(t *testing.T) {
	w := newWorld(t)
	w.handle("h", nothing)
	w.run()
	w.send(job(task.Span(0, 100)))
	w.results(100)
	w.result(job(task.Of(0), shell("true")))
	assert.Empty(t, w.printed())
}
