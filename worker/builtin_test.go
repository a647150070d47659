package worker_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// standard is the work of a standard handler with all its parameters, as a
// definition resolves them.
func standard(handler string, params map[string]string, change ...func(*task.Work)) task.Work {
	h, _ := definition.Standard(handler)
	said := map[string]json.RawMessage{}
	for name, value := range params {
		said[name] = json.RawMessage(value)
	}
	return job(task.Of(0), append(change, func(w *task.Work) {
		w.Run.Handler = handler
		w.Params = h.WithDefaults(said)
	})...)
}

func TestEveryWorkerHasTheStandardHandlers(t *testing.T) {
	t.Run("they are offered, and not listed", func(t *testing.T) {
		reg := worker.NewRegistry()
		for _, h := range definition.StandardHandlers() {
			require.NoError(t, reg.Offers(h.Name))
		}
		require.Empty(t, reg.Names())
	})

	t.Run("one that offers only some handlers has them, too", func(t *testing.T) {
		w := newWorld(t)
		w.handle("words/count", nothing)
		w.run(func(o *worker.Options) { o.Only = []string{"words/*"} })
		r := w.result(standard("deed/sort", nil, reads(whole("in", w.blob("", "a", "b\na"))), writes("out")))
		require.Equal(t, task.Done, r.Outcome)
		require.Equal(t, "a\nb\n", w.read(r.Parts[0].Part))
	})

	t.Run("whatever the local names are, the one input is read and the one output written", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		r := w.result(standard("deed/partition", map[string]string{"by": `1`, "records": `"csv"`},
			reads(elements("x", w.blob("k", "a.csv", "n,1\nm,2\nn,3\n"))), writes("y")))
		require.Equal(t, task.Done, r.Outcome)
		require.Len(t, r.Parts, 2)
		assert.Equal(t, "m", r.Parts[0].Key)
		assert.Equal(t, "a.csv", r.Parts[1].Name)
		assert.Equal(t, "data-y", r.Parts[1].Data)
		assert.Equal(t, "n,1\nn,3\n", w.read(r.Parts[1].Part))
	})

	t.Run("a count is a value", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		r := w.result(standard("deed/count", nil, reads(whole("in", w.blob("", "a", "1\n2\n"), w.blob("", "b", "3"))), writes("n")))
		require.Equal(t, task.Done, r.Outcome)
		assert.JSONEq(t, `{"parts": 2, "records": 3, "bytes": 5}`, string(r.Parts[0].Value))
	})

	t.Run("an input that makes no sense fails for good, and is named by file and line", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		f := w.failure(standard("deed/split", map[string]string{"records": `"json-lines"`},
			reads(elements("in", w.blob("logs", "a.jsonl", "{}\n{\n"))), writes("out")))
		assert.Equal(t, task.Permanent, f.Verdict)
		assert.Equal(t, `logs/a.jsonl:2: this is no JSON: "{"`, f.Error)
		assert.Equal(t, "logs/a.jsonl", f.Element)
	})

	t.Run("a step that reads or writes several names fails for good", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		f := w.failure(standard("deed/concat", nil, reads(whole("a"), whole("b")), writes("out")))
		assert.Equal(t, task.Permanent, f.Verdict)
		assert.Equal(t, "deed/concat reads one name and writes one; the step reads 2 and writes 1", f.Error)
	})

	t.Run("they are for the pool that the step says", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		r := w.result(standard("deed/concat", nil, reads(whole("a")), writes("out"), func(w *task.Work) { w.Pool = "gpu" }))
		assert.Equal(t, task.Unserved, r.Outcome)
	})

	t.Run("what waits on disk is gone when the task has ended, also if it fails", func(t *testing.T) {
		w := newWorld(t)
		temp := t.TempDir()
		w.run(func(o *worker.Options) { o.TempDir = temp })
		text := strings.Repeat("some line\n", 1000)
		r := w.result(standard("deed/sort", map[string]string{"memory": `"1KiB"`}, reads(whole("in", w.blob("", "a", text))), writes("out")))
		require.Equal(t, task.Done, r.Outcome)
		require.Equal(t, text, w.read(r.Parts[0].Part))
		w.failure(standard("deed/sort", map[string]string{"memory": `"1KiB"`, "by": `"1 number"`},
			reads(whole("in", w.blob("", "a", strings.Repeat("1\n", 1000)+"x\n"))), writes("out")))
		left, err := os.ReadDir(temp)
		require.NoError(t, err)
		require.Empty(t, left)
	})
}
