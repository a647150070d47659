package worker_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

type count struct {
	Word string `json:"word"`
	N    int    `json:"n"`
}

func TestJSONHandlers(t *testing.T) {
	setup := func(t *testing.T) *world {
		w := newWorld(t)
		worker.HandleJSON(w.reg, "double", func(_ context.Context, in count) (count, error) {
			return count{in.Word, 2 * in.N}, nil
		})
		worker.HandleJSON(w.reg, "sum", func(_ context.Context, in []count) (int, error) {
			total := 0
			for _, c := range in {
				total += c.N
			}
			return total, nil
		})
		worker.HandleJSON(w.reg, "refuse", func(context.Context, struct{}) (int, error) {
			return 0, worker.Permanent(errors.New("no"))
		})
		w.run()
		return w
	}
	runs := func(name string) func(*task.Work) { return func(w *task.Work) { w.Run.Handler = name } }
	said := func(t *testing.T, r task.Result) string {
		require.Equal(t, task.Done, r.Outcome, "%+v", r.Failure)
		require.Len(t, r.Parts, 1)
		return string(r.Parts[0].Value)
	}

	t.Run("a function of a value gets the element and its result is the output", func(t *testing.T) {
		w := setup(t)
		r := w.result(job(task.Of(0), runs("double"), reads(elements("in", value(`{"word":"a","n":4}`)), whole("beside", value("1"))), writes("out")))
		assert.JSONEq(t, `{"word":"a","n":8}`, said(t, r))
	})
	t.Run("a function of a slice gets the values of all parts of a list, none included", func(t *testing.T) {
		w := setup(t)
		r := w.result(job(task.Of(0), runs("sum"), reads(whole("in", value(`{"n":1}`), w.blob("", "", " {\"n\":2}\n"))), writes("out")))
		assert.Equal(t, "3", said(t, r))
		assert.Equal(t, "0", said(t, w.result(job(task.Of(0), runs("sum"), reads(whole("in")), writes("out")))))
	})
	t.Run("a slice as element is one value", func(t *testing.T) {
		w := setup(t)
		r := w.result(job(task.Of(0), runs("sum"), reads(elements("in", value(`[{"n":1},{"n":5}]`))), writes("out")))
		assert.Equal(t, "6", said(t, r))
	})
	t.Run("a function of one value takes a list of one part", func(t *testing.T) {
		w := setup(t)
		r := w.result(job(task.Of(0), runs("double"), reads(whole("in", value(`{"n":4}`))), writes("out")))
		assert.JSONEq(t, `{"word":"","n":8}`, said(t, r))
	})
	t.Run("input that is not of the type fails for good", func(t *testing.T) {
		w := setup(t)
		f := w.failure(job(task.Of(0), runs("double"), reads(elements("in", value(`"text"`))), writes("out")))
		assert.Equal(t, task.Permanent, f.Verdict)
		assert.Contains(t, f.Error, `decode input "in": json: cannot unmarshal string`)
	})
	t.Run("a step that a function of one value does not fit fails for good", func(t *testing.T) {
		w := setup(t)
		two := w.failure(job(task.Of(0), runs("double"), reads(whole("a"), whole("b")), writes("out")))
		assert.Contains(t, two.Error, "a JSON handler reads one input, the step has 2")
		out := w.failure(job(task.Of(0), runs("double"), reads(elements("a", value("{}"))), writes("x", "y")))
		assert.Contains(t, out.Error, "a JSON handler writes one output, the step declares 2")
		assert.Equal(t, []task.Verdict{task.Permanent, task.Permanent}, []task.Verdict{two.Verdict, out.Verdict})
	})
	t.Run("its error is the error of the task, and a step may read and write nothing", func(t *testing.T) {
		w := setup(t)
		assert.Equal(t, task.Failure{Error: "no", Verdict: task.Permanent}, w.failure(job(task.Of(0), runs("refuse"))))
		assert.Equal(t, task.Done, w.result(job(task.Of(0), runs("double"))).Outcome)
	})
	t.Run("more JSON than fits in memory is refused before it is read", func(t *testing.T) {
		w := setup(t)
		huge := w.blob("", "", "{}")
		huge.Ref.Size = 64<<20 + 1
		f := w.failure(job(task.Of(0), runs("double"), reads(elements("in", huge)), writes("out")))
		assert.Contains(t, f.Error, "more than 64 MiB of JSON")
	})
}
