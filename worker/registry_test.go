package worker_test

import (
	"context"
	"testing"

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
		} {
			assert.PanicsWithValue(t, panicText(func() { worker.Handle(reg, name, nothing) }), func() { worker.Handle(reg, name, nothing) })
			assert.Contains(t, panicText(func() { worker.Handle(reg, name, nothing) }), message)
		}
		assert.Contains(t, panicText(func() { worker.Handle(reg, "none", nil) }), "no function")
		assert.Contains(t, panicText(func() { worker.HandleJSON[int, int](reg, "none", nil) }), "no function")
		assert.Equal(t, []string{"words/count"}, reg.Names())
	})

	t.Run("an unknown handler is a failure that lists what the worker offers, and another worker may try", func(t *testing.T) {
		w := newWorld(t)
		w.handle("words/count", nothing)
		w.handle("words/merge", nothing)
		w.run()
		f := w.failure(job(task.Of(0), func(w *task.Work) { w.Run.Handler = "words/cuont" }))
		assert.Equal(t, task.Retry, f.Verdict)
		assert.Equal(t, `handler "words/cuont" is unknown, did you mean "words/count"? this worker offers "words/count", "words/merge"`, f.Error)
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
