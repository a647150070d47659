package worker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func nothing(context.Context, *worker.Task) error { return nil }

func TestRegistry(t *testing.T) {
	t.Run("a mistake in a registration panics and says what to do", func(t *testing.T) {
		reg := worker.NewRegistry()
		worker.Handle(reg, "words/count", nothing)
		for name, message := range map[string]string{
			"words/count": "registered already",
			"deed/seal":   "built in",
			"deed/mine":   "choose another",
			"":            "no name",
			"two words":   "no name",
			"@2":          "no name before",
			"a@":          `the version "" is none`,
			"a@-1":        `the version "-1" is none: write letters, digits`,
			"a@1@2":       `the version "1@2" is none`,
			"a@ü":         `the version "ü" is none`,

			"a@" + strings.Repeat("1", 33): "at most 32",
		} {
			assert.PanicsWithValue(t, panicText(func() { worker.Handle(reg, name, nothing) }), func() { worker.Handle(reg, name, nothing) })
			assert.Contains(t, panicText(func() { worker.Handle(reg, name, nothing) }), message)
		}
		assert.Contains(t, panicText(func() { worker.Handle(reg, "none", nil) }), "no function")
		assert.Contains(t, panicText(func() { worker.HandleJSON[int, int](reg, "none", nil) }), "no function")
		assert.Equal(t, []string{"words/count"}, reg.Names())
	})

	t.Run("a task for a handler that the worker lacks is handed back with what it offers, all tasks of a message at once", func(t *testing.T) {
		w := newWorld(t)
		w.handle("words/count", nothing)
		w.handle("words/merge@2", nothing)
		w.run()
		w.send(job(task.Span(0, 1000), func(w *task.Work) { w.Run.Handler = "words/cuont" }))
		results := w.results(1000)
		require.Len(t, results, 1)
		assert.Equal(t, task.Unserved, results[0].Outcome)
		assert.Equal(t, task.Span(0, 1000), results[0].Tasks)
		assert.Equal(t, `handler "words/cuont" is unknown, did you mean "words/count"? this worker offers "words/count", "words/merge", "words/merge@2"`, results[0].Failure.Error)
		assert.Equal(t, task.Unserved, w.result(job(task.Of(0), func(w *task.Work) { w.Run.Handler = "words/merge@3" })).Outcome)
		assert.Equal(t, task.Done, w.result(job(task.Of(0), func(w *task.Work) { w.Run.Handler = "words/merge" })).Outcome)
		require.Eventually(t, func() bool { n, err := w.work.Pending(w.ctx, "p"); return err == nil && n == 0 }, 10*time.Second, time.Millisecond)
	})

	t.Run("a step gets the version it names, or the newest", func(t *testing.T) {
		reg := worker.NewRegistry()
		called := ""
		register := func(names ...string) {
			for _, name := range names {
				worker.Handle(reg, name, func(context.Context, *worker.Task) error { called = name; return nil })
			}
		}
		serves := func(handler string) string {
			called = ""
			w := newWorld(t)
			w.reg = reg
			w.run()
			if r := w.result(job(task.Of(0), func(w *task.Work) { w.Run.Handler = handler })); r.Outcome != task.Done {
				return string(r.Outcome)
			}
			return called
		}
		register("count@2", "count@10", "count@1.9", "sort@1.9", "sort@1.10", "sort@1.10-rc", "plain", "plain@7", "zero@01", "zero@1")
		assert.Equal(t, "count@2", serves("count@2"))
		assert.Equal(t, "count@10", serves("count"))
		assert.Equal(t, "sort@1.10-rc", serves("sort"))
		assert.Equal(t, "plain", serves("plain"))
		assert.Equal(t, "plain@7", serves("plain@7"))
		assert.Equal(t, "zero@1", serves("zero"))
		assert.Equal(t, "unserved", serves("count@3"))
		register("count@11")
		assert.Equal(t, "count@11", serves("count"))
		assert.Equal(t, []string{
			"count", "count@1.9", "count@10", "count@11", "count@2", "plain", "plain@7",
			"sort", "sort@1.10", "sort@1.10-rc", "sort@1.9", "zero", "zero@01", "zero@1",
		}, reg.Names())
	})

	t.Run("a registry says what it offers, the built-in handlers included", func(t *testing.T) {
		reg := worker.NewRegistry()
		worker.Handle(reg, "words/count@2", nothing)
		for _, offered := range []string{"words/count", "words/count@2", "deed/seal"} {
			require.NoError(t, reg.Offers(offered))
		}
		require.EqualError(t, reg.Offers("words/count@3"), `handler "words/count@3" is unknown, did you mean "words/count@2"? this worker offers "words/count", "words/count@2"`)
		require.EqualError(t, worker.NewRegistry().Offers("x"), `handler "x" is unknown: this worker offers none`)
	})

	t.Run("a message that names nothing to run fails for good", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		f := w.failure(job(task.Of(0), func(w *task.Work) { w.Run = task.Run{} }))
		assert.Equal(t, task.Permanent, f.Verdict)
	})

	t.Run("a worker without what it needs is not created", func(t *testing.T) {
		w := newWorld(t)
		for _, lack := range []func(*worker.Options){
			func(o *worker.Options) { o.Work = nil },
			func(o *worker.Options) { o.Inbox = nil },
			func(o *worker.Options) { o.Signals = nil },
			func(o *worker.Options) { o.Blobs = nil },
			func(o *worker.Options) { o.Slots = -1 },
		} {
			o := w.options()
			lack(&o)
			_, err := worker.New(o)
			require.ErrorContains(t, err, "create worker: Options")
		}
	})
}

func panicText(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}
