package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func TestATaskIsBegunWithoutItsElementAndFailsWhereItNeedsIt(t *testing.T) {
	w := newWorld(t)
	list := w.sealedList("photo", "sea")
	gone := *list.Manifest
	gone.Key = "lists/gone"
	each := func(m task.Manifest) func(*task.Work) {
		return reads(task.Input{Local: "in", Mode: task.Element, Manifest: &m})
	}
	w.handle("h", nothing)
	w.handle("key", func(_ context.Context, t *worker.Task) error { _ = t.Key(); return nil })
	w.handle("emit", func(_ context.Context, t *worker.Task) error { return t.Emit("out", 1) })
	w.handle("fail", func(context.Context, *worker.Task) error { return errors.New("bad luck") })
	w.run()
	by := func(name string) func(*task.Work) { return func(w *task.Work) { w.Run.Handler = name } }
	require.Equal(t, task.Done, w.result(job(task.Of(0), each(gone))).Outcome)
	require.Contains(t, w.failure(job(task.Of(0), each(gone), by("key"))).Error, `read input "in"`)
	require.Contains(t, w.failure(job(task.Of(0), each(gone), by("emit"), writes("out"))).Error, `read input "in"`)
	require.Empty(t, w.failure(job(task.Of(0), each(gone), by("fail"))).Element)
	require.Equal(t, "sea", w.failure(job(task.Of(0), each(*list.Manifest), by("fail"))).Element, "though the handler did not look")
	done := w.result(job(task.Of(0), each(*list.Manifest), by("emit"), writes("out")))
	require.Equal(t, "sea", done.Parts[0].Key)
	require.Contains(t, w.failure(job(task.Of(1), each(*list.Manifest), by("emit"), writes("out"))).Error, "there is no part 1 of 1")
}

func TestAFailureNamesWhatTheTaskWasAbout(t *testing.T) {
	w := newWorld(t)
	w.handle("h", func(context.Context, *worker.Task) error { return errors.New("no photo") })
	w.run()
	about := func(mode task.Mode, p task.Part) string {
		r := w.result(job(task.Of(0), func(w *task.Work) {
			w.Inputs = []task.Input{{Local: "x", Mode: mode, Lists: [][]task.Part{{p}}}}
		}))
		require.Equal(t, task.Failed, r.Outcome)
		return r.Failure.Element
	}
	value := json.RawMessage(`1`)
	assert.Equal(t, "summer/beach.jpg", about(task.Element, task.Part{Key: "summer", Name: "beach.jpg", Value: value}))
	assert.Equal(t, "beach.jpg", about(task.Element, task.Part{Name: "beach.jpg", Value: value}))
	assert.Equal(t, "summer", about(task.Group, task.Part{Key: "summer", Name: "beach.jpg", Value: value}))
	assert.Empty(t, about(task.Whole, task.Part{Key: "summer", Name: "beach.jpg", Value: value}))
}
