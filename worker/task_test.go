package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

func readAll(r io.ReadCloser, err error) (string, error) {
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), errors.Join(err, r.Close())
}

func write(o *worker.Output, err error, text string) error {
	if err != nil {
		return err
	}
	_, err = io.WriteString(o, text)
	return errors.Join(err, o.Close())
}

func TestWhatATaskReads(t *testing.T) {
	t.Run("each task of a message reads its own element, and whole names beside it", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			text, err := readAll(t.Open("text"))
			if err != nil {
				return err
			}
			stop, err := readAll(t.Open("stop"))
			if err != nil {
				return err
			}
			return t.Emit("out", fmt.Sprintf("%d %s %s", t.Index(), text, stop))
		})
		w.run()
		w.send(job(task.Of(3, 7), reads(elements("text", w.blob("", "", "three"), w.blob("", "", "seven")), whole("stop", w.blob("", "", "words"))), writes("out")))
		said := map[int]string{}
		for _, r := range w.results(2) {
			for _, p := range r.Parts {
				said[p.Index] = string(p.Value)
			}
		}
		assert.Equal(t, map[int]string{3: `"3 three words"`, 7: `"7 seven words"`}, said)
	})

	t.Run("a list is read part by part, with keys, names and sizes", func(t *testing.T) {
		w := newWorld(t)
		var seen []string
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			for p, err := range t.Parts("all") {
				if err != nil {
					return err
				}
				text, err := readAll(p.Open())
				if err != nil {
					return err
				}
				seen = append(seen, fmt.Sprintf("%s/%s %d %s", p.Key, p.Name, p.Size, text))
			}
			return nil
		})
		w.run()
		r := w.result(job(task.Of(0), reads(whole("all", w.blob("k", "a.txt", "text"), value(`{"n":1}`)))))
		require.Equal(t, task.Done, r.Outcome)
		assert.Equal(t, []string{"k/a.txt 4 text", `/ 7 {"n":1}`}, seen)
	})

	t.Run("Open refuses a list of several parts or none", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			_, several := t.Open("several")
			_, none := t.Open("none")
			return errors.Join(several, none)
		})
		w.run()
		f := w.failure(job(task.Of(0), reads(whole("several", value("1"), value("2")), whole("none"))))
		assert.Contains(t, f.Error, `open input "several": it is a list of more than one part: read it with Parts`)
		assert.Contains(t, f.Error, `open input "none": it is an empty list: read it with Parts`)
	})

	t.Run("unknown names list the known ones, and the one that was meant", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			_, in := t.Open("fotos")
			_, out := t.Create("smal")
			return errors.Join(in, out, t.Emit("x", 1), t.Param("tpo", new(int)))
		})
		w.run()
		f := w.failure(job(task.Of(0), reads(whole("photos")), writes("small"), func(w *task.Work) {
			w.Params = map[string]json.RawMessage{"top": []byte("3")}
		}))
		assert.Contains(t, f.Error, `open input: "fotos" is unknown, did you mean "photos"? the step reads "photos"`)
		assert.Contains(t, f.Error, `create output: "smal" is unknown, did you mean "small"? the step writes "small"`)
		assert.Contains(t, f.Error, `emit to output: "x" is unknown: the step writes "small"`)
		assert.Contains(t, f.Error, `read parameter: "tpo" is unknown, did you mean "top"? the process has "top"`)
	})

	t.Run("tasks read their element, group, bucket or the whole from a stored list", func(t *testing.T) {
		w := newWorld(t)
		var produced []task.Produced
		for i, key := range []string{"b", "a", "b", "c"} {
			p := w.blob(key, "", fmt.Sprint("part ", i))
			produced = append(produced, task.Produced{Index: i, Data: "d", Part: p})
		}
		sealed, err := w.blobs.Seal(w.ctx, "p/sealed", task.Seal{Data: "d", Sources: []task.Source{{Parts: produced}}})
		require.NoError(t, err)
		stored := func(mode task.Mode, into int) func(*task.Work) {
			return reads(task.Input{Local: "in", Mode: mode, Into: into, Manifest: sealed.Manifest})
		}
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			var all []string
			for p, err := range t.Parts("in") {
				if err != nil {
					return err
				}
				text, err := readAll(p.Open())
				if err != nil {
					return err
				}
				all = append(all, text)
			}
			return t.EmitKeyed("out", "key:"+t.Key(), strings.Join(all, ", "))
		})
		w.run()
		said := func(index int, change func(*task.Work)) string {
			r := w.result(job(task.Of(index), change, writes("out")))
			require.Len(t, r.Parts, 1, "%+v", r.Failure)
			return r.Parts[0].Key + " " + string(r.Parts[0].Value)
		}
		assert.Equal(t, `key:b "part 0"`, said(1, stored(task.Element, 0)))
		assert.Equal(t, `key:b "part 0, part 2"`, said(1, stored(task.Group, 0)))
		assert.Equal(t, `key: "part 1, part 0, part 2, part 3"`, said(0, stored(task.Whole, 0)))
		assert.Equal(t, `key: "part 1, part 0, part 2, part 3"`, said(0, stored(task.Group, 1)))
		f := w.failure(job(task.Of(9), stored(task.Element, 0)))
		assert.Contains(t, f.Error, "there is no part 9 of 4")
	})

	t.Run("altered bytes are never read to a clean end", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			_, err := readAll(t.Open("text"))
			return err
		})
		w.run()
		p := w.blob("", "", "the truth")
		p.Ref.SHA256 = strings.Repeat("0", 64)
		assert.Contains(t, w.failure(job(task.Of(0), reads(elements("text", p)))).Error, "corrupt")
	})

	t.Run("a message that does not bring what its tasks read fails for good", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", nothing)
		w.run()
		for _, in := range []task.Input{
			{Local: "in", Mode: task.Element},
			{Local: "in", Mode: task.Element, Lists: [][]task.Part{{value("1"), value("2")}}},
			{Local: "in", Mode: task.Group},
		} {
			f := w.failure(job(task.Of(0), reads(in)))
			assert.Equal(t, task.Permanent, f.Verdict)
			assert.Contains(t, f.Error, "the sender is at fault")
		}
		f := w.failure(job(task.Of(0), reads(task.Input{Local: "in", Mode: "later"})))
		assert.Contains(t, f.Error, `mode "later" is not known to this worker`)
	})
}

func TestWhatATaskWrites(t *testing.T) {
	t.Run("parts inherit key and name from the element, unless they have their own", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			o, err := t.Create("out")
			first := write(o, err, "inherits")
			o, err = t.CreateKeyed("out", "mine")
			second := write(o, err, "keyed")
			o, err = t.CreateNamed("out", "", "x.txt")
			return errors.Join(first, second, write(o, err, "named"), t.Emit("out", 1), t.EmitKeyed("out", "k", 2))
		})
		w.run()
		r := w.result(job(task.Of(0), reads(elements("in", w.blob("2024", "a.jpg", "x"))), writes("out")))
		require.Equal(t, task.Done, r.Outcome, "%+v", r.Failure)
		var parts []string
		for _, p := range r.Parts {
			require.Equal(t, "data-out", p.Data)
			parts = append(parts, fmt.Sprintf("%s/%s %s", p.Key, p.Name, w.read(p.Part)))
		}
		assert.Equal(t, []string{"2024/a.jpg inherits", "mine/a.jpg keyed", "/x.txt named", "2024/a.jpg 1", "k/a.jpg 2"}, parts)
	})

	t.Run("in a group parts inherit the key, in a bucket none", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error { return t.Emit("out", t.Key()) })
		w.run()
		list := [][]task.Part{{{Key: "k", Name: "n", Value: []byte("1")}, {Key: "k", Value: []byte("2")}}}
		group := w.result(job(task.Of(0), reads(task.Input{Local: "in", Mode: task.Group, Lists: list}), writes("out")))
		assert.Equal(t, task.Part{Key: "k", Value: []byte(`"k"`)}, group.Parts[0].Part)
		bucket := w.result(job(task.Of(0), reads(task.Input{Local: "in", Mode: task.Group, Into: 4, Lists: list}), writes("out")))
		assert.Equal(t, task.Part{Value: []byte(`""`)}, bucket.Parts[0].Part)
	})

	t.Run("the order of parts is that of their creation, whatever is closed first", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			first, err := t.CreateKeyed("out", "first")
			if err != nil {
				return err
			}
			second, err := t.CreateKeyed("out", "second")
			return errors.Join(write(second, err, "2"), write(first, nil, "1"))
		})
		w.run()
		r := w.result(job(task.Of(0), writes("out")))
		require.Len(t, r.Parts, 2)
		assert.Equal(t, []string{"first", "second"}, []string{r.Parts[0].Key, r.Parts[1].Key})
	})

	t.Run("the keys of blobs tell the execution and never collide", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			o, err := t.Create("out")
			return write(o, err, "same")
		})
		w.run()
		again := func(w *task.Work) { w.Generation = 2 }
		one := w.result(job(task.Of(5), writes("out"), again)).Parts[0].Ref.Key
		two := w.result(job(task.Of(5), writes("out"), again)).Parts[0].Ref.Key
		assert.Regexp(t, `^p/step/2/5/1-[0-9a-f]{16}/0$`, one)
		assert.NotEqual(t, one, two)
	})

	t.Run("a part left open fails the task", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			_, err := t.Create("out")
			return err
		})
		w.run()
		assert.Equal(t, `output "out", part 0 of the task: it was not closed: close it and check the error before returning`, w.failure(job(task.Of(0), writes("out"))).Error)
	})

	t.Run("nothing can be written once the task ended", func(t *testing.T) {
		w := newWorld(t)
		var late *worker.Task
		var open *worker.Output
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			late = t
			open, _ = t.Create("out")
			return errors.New("failed")
		})
		w.run()
		w.failure(job(task.Of(0), writes("out")))
		_, err := open.Write([]byte("x"))
		require.ErrorContains(t, err, "the task has ended")
		require.ErrorContains(t, open.Close(), "the task has ended")
		_, err = late.Create("out")
		require.ErrorContains(t, err, "the task has ended")
		require.ErrorContains(t, late.Emit("out", 1), "the task has ended")
	})

	t.Run("keys and names that JSON would alter are refused", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			_, one := t.CreateKeyed("out", "\xff")
			_, two := t.CreateNamed("out", "", "a\x00b")
			_, three := t.CreateKeyed("out", strings.Repeat("k", 2000))
			return errors.Join(one, two, three)
		})
		w.run()
		f := w.failure(job(task.Of(0), writes("out")))
		assert.Contains(t, f.Error, `the key "\xff" is not text`)
		assert.Contains(t, f.Error, `the name "a\x00b" is not text`)
		assert.Contains(t, f.Error, `a key of 2000 bytes; at most 1024 are allowed`)
	})

	t.Run("a value travels inline if it is small, and as a blob if not", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			return errors.Join(t.Emit("out", "<small>"), t.Emit("out", strings.Repeat("large ", 1000)))
		})
		w.run()
		r := w.result(job(task.Of(0), writes("out")))
		require.Len(t, r.Parts, 2)
		assert.JSONEq(t, `"<small>"`, string(r.Parts[0].Value))
		require.NotNil(t, r.Parts[1].Ref)
		assert.EqualValues(t, 6002, r.Parts[1].Ref.Size)
	})

	t.Run("a task knows who it is", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			var top int
			err := t.Param("top", &top)
			t.Logf("the top is %d", top)
			return errors.Join(err, t.Emit("out", []any{t.ID(), t.Process(), t.Address(), t.Index(), t.Attempt(), len(t.Params())}),
				t.Param("top", new([]string)))
		})
		w.run()
		f := w.failure(job(task.Of(4), writes("out"), func(w *task.Work) {
			w.Attempt, w.Params = 3, map[string]json.RawMessage{"top": []byte("20")}
		}))
		assert.Contains(t, f.Error, `read parameter "top", which is 20: json: cannot unmarshal`)
		assert.Contains(t, w.log.String(), `msg="the top is 20" worker=w1 process=p address=step index=4 attempt=3`)
	})
}

func TestSealing(t *testing.T) {
	t.Run("deed/seal merges what reports say, and the result says what the name holds", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		parts := []task.Produced{{Index: 1, Data: "d", Part: w.blob("b", "", "1")}, {Index: 0, Data: "d", Part: w.blob("a", "", "0")}}
		r := w.result(job(task.Of(0), func(w *task.Work) {
			w.Run.Handler = "deed/seal"
			w.Seal = &task.Seal{Data: "d", Sources: []task.Source{{Parts: parts, Tasks: task.Of(0, 1)}}}
		}))
		require.Equal(t, task.Done, r.Outcome, "%+v", r.Failure)
		require.NotNil(t, r.Sealed)
		assert.Equal(t, 2, r.Sealed.Count)
		assert.Equal(t, 2, r.Sealed.Keys)
	})

	t.Run("a message that does not say what to seal fails for good", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		assert.Equal(t, task.Permanent, w.failure(job(task.Of(0), func(w *task.Work) { w.Run.Handler = "deed/seal" })).Verdict)
	})
}
