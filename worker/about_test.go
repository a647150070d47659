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
