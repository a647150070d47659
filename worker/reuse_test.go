package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// cached is one task of a step of a process that shares results with others of
// its definition.
func cached(process string, run task.Run, element ...task.Part) task.Work {
	w := message(run, element...)
	w.Process, w.Cache, w.Scope = process, true, "fan-out"
	return w
}

// counting registers a handler that writes what it reads, and says how often it ran.
func (r *rig) counting(name string) *int {
	ran := new(int)
	Handle(r.reg, name, func(ctx context.Context, t *Task) error {
		*ran++
		in, err := t.Open("in")
		if err != nil {
			return err
		}
		defer in.Close()
		text, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		return write(ctx, t, "k", "read "+string(text))
	})
	return ran
}

func (r *rig) entries() int {
	r.t.Helper()
	n := 0
	for _, err := range r.blobs.Cache().Keys(r.t.Context()) {
		require.NoError(r.t, err)
		n++
	}
	return n
}

func TestATaskThatIsEqualToAnEarlierOneTakesItsResult(t *testing.T) {
	r := newRig(t)
	ran := r.counting("copy")
	first := r.do(cached("a", handler("copy"), value(`"x"`)))
	require.Equal(t, task.Done, first.Outcome)
	again := cached("b", handler("copy"), value(`"x"`))
	again.Address, again.Tasks, again.Attempt, again.Outputs[0].Data = "other/step", task.Span(5, 1), 2, "renamed"
	reused := r.do(again)
	require.Equal(t, 1, *ran)
	require.Equal(t, task.Reused, reused.Outcome)
	require.Equal(t, task.Span(5, 1), reused.Tasks)
	require.Equal(t, []string{`k/: read "x"`}, r.written(reused))
	require.Equal(t, first.Parts[0].Ref, reused.Parts[0].Ref)
	require.Equal(t, 5, reused.Parts[0].Index)
	require.Equal(t, "renamed", reused.Parts[0].Data)
	require.Len(t, reused.Origins, 1)
	require.Equal(t, task.Attempt{Process: "a", Address: "step", Attempt: 1}, reused.Origins[0].Attempt)
	require.Equal(t, 5, reused.Origins[0].Index)
}

func TestWhatDiffersIsExecuted(t *testing.T) {
	r := newRig(t)
	ran := r.counting("copy")
	r.counting("copy2@1")
	r.do(cached("a", handler("copy"), value(`"x"`)))
	for name, w := range map[string]task.Work{
		"another value":                 cached("b", handler("copy"), value(`"y"`)),
		"another handler":               cached("b", handler("copy2"), value(`"x"`)),
		"another definition's":          func() task.Work { w := cached("b", handler("copy"), value(`"x"`)); w.Scope = "other"; return w }(),
		"a step that asks for no reuse": message(handler("copy"), value(`"x"`)),
	} {
		require.Equal(t, task.Done, r.do(w).Outcome, name)
	}
	require.Equal(t, 1+3, *ran, "another handler is counted elsewhere")
}

func TestWhoIsNotToLookLeavesItsResultNevertheless(t *testing.T) {
	r := newRig(t)
	ran := r.counting("copy")
	r.do(cached("a", handler("copy"), value(`"x"`)))
	fresh := cached("b", handler("copy"), value(`"x"`))
	fresh.Refresh = true
	require.Equal(t, task.Done, r.do(fresh).Outcome)
	require.Equal(t, 2, *ran)
	reused := r.do(cached("c", handler("copy"), value(`"x"`)))
	require.Equal(t, task.Reused, reused.Outcome)
	require.Equal(t, "b", reused.Origins[0].Attempt.Process)
}

// TestWhoReadsTheBeginningOfALinkedFileLeavesNothing: that the file changed shows
// at its end, and its result would be that of what it was.
func TestWhoReadsTheBeginningOfALinkedFileLeavesNothing(t *testing.T) {
	r := newRig(t)
	file := filepath.Join(t.TempDir(), "a.txt")
	require.NoError(t, os.WriteFile(file, []byte("before"), 0o600))
	parts, area, err := r.blobs.Link(t.Context(), file, nil)
	require.NoError(t, err)
	require.NoError(t, r.blobs.AllowReading(area))
	require.NoError(t, os.WriteFile(file, []byte("behind"), 0o600))
	Handle(r.reg, "head", func(ctx context.Context, t *Task) error {
		in, err := t.Open("in")
		if err != nil {
			return err
		}
		defer in.Close()
		text := make([]byte, 4)
		if _, err := io.ReadFull(in, text); err != nil {
			return err
		}
		return write(ctx, t, "k", string(text))
	})
	require.Equal(t, task.Done, r.do(cached("a", handler("head"), parts[0])).Outcome)
	require.Zero(t, r.entries())

	require.NoError(t, os.WriteFile(file, []byte("before"), 0o600))
	r.counting("whole")
	require.Equal(t, task.Done, r.do(cached("b", handler("whole"), parts[0])).Outcome)
	require.Equal(t, 1, r.entries())
}

func TestATaskThatFailedOrRanTooLongLeavesNothing(t *testing.T) {
	r := newRig(t)
	Handle(r.reg, "fail", func(context.Context, *Task) error { return errors.New("no") })
	Handle(r.reg, "hang", func(ctx context.Context, t *Task) error {
		if err := write(ctx, t, "k", "half"); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	})
	require.Equal(t, task.Failed, r.do(cached("a", handler("fail"), value(`1`))).Outcome)
	late := cached("a", handler("hang"), value(`1`))
	late.Timeout = task.Duration(10 * time.Millisecond)
	require.Equal(t, task.TimedOut, r.do(late).Failure.Verdict)
	require.Zero(t, r.entries())
}

func TestWhereTheBlobsAreGoneTheTaskIsExecutedAndItsResultTakesTheirPlace(t *testing.T) {
	r := newRig(t)
	ran := r.counting("copy")
	first := r.do(cached("a", handler("copy"), value(`"x"`)))
	require.NoError(t, r.blobs.Remove(t.Context(), first.Parts[0].Ref.Key))
	require.Equal(t, task.Done, r.do(cached("b", handler("copy"), value(`"x"`))).Outcome)
	require.Equal(t, 2, *ran)
	reused := r.do(cached("c", handler("copy"), value(`"x"`)))
	require.Equal(t, "b", reused.Origins[0].Attempt.Process)
	require.Equal(t, []string{`k/: read "x"`}, r.written(reused))
}

func TestAnotherVersionOfAHandlerExecutesAnew(t *testing.T) {
	r := newRig(t)
	one := r.counting("copy@1")
	r.do(cached("a", handler("copy"), value(`"x"`)))
	require.Equal(t, task.Reused, r.do(cached("b", handler("copy@1"), value(`"x"`))).Outcome, "pinned or the newest: it is the same")
	two := r.counting("copy@2")
	require.Equal(t, task.Done, r.do(cached("c", handler("copy"), value(`"x"`))).Outcome)
	require.Equal(t, task.Reused, r.do(cached("d", handler("copy@1"), value(`"x"`))).Outcome)
	require.Equal(t, []int{1, 1}, []int{*one, *two})
}

func TestWhatATaskReadsFromAManifestIsComparedByItsParts(t *testing.T) {
	r := newRig(t)
	ran := r.counting("copy")
	list := func(values ...string) *task.Manifest {
		var parts []task.Part
		for _, v := range values {
			parts = append(parts, task.Part{Name: strings.Repeat("long", 50), Value: []byte(v)}) // long, so that it is stored
		}
		for range 400 {
			parts = append(parts, task.Part{Name: strings.Repeat("filler", 30), Value: []byte(`0`)})
		}
		d, err := r.blobs.Dataset(t.Context(), "inputs", parts)
		require.NoError(t, err)
		require.NotNil(t, d.Manifest)
		return d.Manifest
	}
	from := func(process string, m *task.Manifest, index int) task.Work {
		w := cached(process, handler("copy"))
		w.Tasks, w.Inputs = task.Span(index, 1), []task.Input{{Local: "in", Mode: task.Element, Manifest: m}}
		return w
	}
	require.Equal(t, task.Done, r.do(from("a", list(`"x"`, `"y"`), 1)).Outcome)
	moved := r.do(from("b", list(`"new"`, `"x"`, `"y"`), 2))
	require.Equal(t, task.Reused, moved.Outcome, "the list is another one, and the element is the same")
	inline := cached("c", handler("copy"), task.Part{Name: strings.Repeat("long", 50), Value: []byte(`"y"`)})
	require.Equal(t, task.Reused, r.do(inline).Outcome, "it does not matter how the message says what is read")
	require.Equal(t, task.Done, r.do(from("d", list(`"new"`, `"x"`, `"y"`), 0)).Outcome)
	require.Equal(t, 2, *ran)
}

func TestReusedAndExecutedTasksAreReportedApart(t *testing.T) {
	r := newRig(t)
	r.counting("copy")
	r.do(cached("a", handler("copy"), value(`0`)))
	r.do(cached("a", handler("copy"), value(`2`)))
	w := cached("b", handler("copy"))
	w.Tasks = task.Span(0, 4)
	w.Inputs = []task.Input{{Local: "in", Mode: task.Element, Lists: [][]task.Part{{value(`0`)}, {value(`1`)}, {value(`2`)}, {value(`3`)}}}}
	r.send(w)
	r.step(r.worker())
	by := map[task.Outcome]task.Ranges{}
	for _, res := range r.results() {
		by[res.Outcome] = by[res.Outcome].Union(res.Tasks)
		require.Len(t, res.Parts, res.Tasks.Len())
		if res.Outcome == task.Reused {
			require.Len(t, res.Origins, res.Tasks.Len())
		}
	}
	require.Equal(t, map[task.Outcome]task.Ranges{task.Reused: task.Of(0, 2), task.Done: task.Of(1, 3)}, by)
}

func TestTheResultOfAProgramIsReusedUntilItsFilesChange(t *testing.T) {
	r := newRig(t)
	ran := filepath.Join(t.TempDir(), "ran")
	program := func(process, text string) task.Work {
		w := cached(process, task.Run{Shell: "echo x >>" + ran + "; sh job.sh >$DEED_OUT/out"}, value(`1`))
		ref, err := r.blobs.Import(t.Context(), strings.NewReader(text))
		require.NoError(t, err)
		w.Files = []task.File{{Name: "job.sh", Ref: ref}}
		return w
	}
	first := r.do(program("a", "echo one"))
	require.Equal(t, task.Done, first.Outcome, "%+v", first.Failure)
	require.Equal(t, task.Reused, r.do(program("b", "echo one")).Outcome)
	require.Equal(t, task.Done, r.do(program("c", "echo two")).Outcome)
	lines, err := os.ReadFile(ran)
	require.NoError(t, err)
	require.Equal(t, "x\nx\n", string(lines))
}

func TestNoSecretIsInTheCache(t *testing.T) {
	r := newRig(t)
	t.Setenv("DEED_SECRET_API", "hunter2hunter2")
	w := cached("a", task.Run{Shell: "echo done >$DEED_OUT/out"}, value(`1`))
	w.Env = map[string]task.Variable{"TOKEN": {Secret: "api"}}
	require.Equal(t, task.Done, r.do(w).Outcome)
	for o, err := range r.blobs.Cache().Keys(t.Context()) {
		require.NoError(t, err)
		e, err := r.blobs.Cache().Entry(t.Context(), o.Key)
		require.NoError(t, err)
		text, err := json.Marshal(e)
		require.NoError(t, err)
		require.NotContains(t, string(text), "hunter2")
		require.Contains(t, string(text), "secret api")
	}
	require.Equal(t, 1, r.entries())
}

func TestAResultOfManyPartsIsReusedWhole(t *testing.T) {
	r := newRig(t)
	Handle(r.reg, "many", func(_ context.Context, t *Task) error {
		for i := range 3000 {
			if err := t.EmitKeyed("out", fmt.Sprintf("key-%04d", i), i); err != nil {
				return err
			}
		}
		return nil
	})
	first := r.written(r.do(cached("a", handler("many"), value(`1`))))
	reused := r.do(cached("b", handler("many"), value(`1`)))
	require.Equal(t, task.Reused, reused.Outcome)
	require.Equal(t, first, r.written(reused))
	require.Len(t, first, 3000)
}

func TestACacheThatCannotBeReadOrWrittenHoldsUpNoTask(t *testing.T) {
	r := newRig(t)
	r.counting("copy")
	r.do(cached("a", handler("copy"), value(`1`)))
	for o, err := range r.blobs.Cache().Keys(t.Context()) {
		require.NoError(t, err)
		require.NoError(t, r.blobs.StoreNamed(t.Context(), "unused", []byte("x")))
		entry, err := r.blobs.Cache().Entry(t.Context(), o.Key)
		require.NoError(t, err)
		entry.Parts[0].Data = "no such output"
		require.NoError(t, r.blobs.Cache().Store(t.Context(), entry, "unused"))
	}
	require.Equal(t, task.Done, r.do(cached("b", handler("copy"), value(`1`))).Outcome)
	_, err := r.blobs.Cache().Entry(t.Context(), "nonsense")
	require.NotErrorIs(t, err, blob.ErrUncached)
}

func TestTheHeartbeatSaysWhichVersionRunsWhatNamesNone(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"a@1", "a@2", "b", "c", "c@1"} {
		Handle(r.reg, name, func(context.Context, *Task) error { return nil })
	}
	require.Equal(t, map[string]string{"a": "2", "c": ""}, r.reg.versions())
	require.Equal(t, "2", r.reg.version("a"))
	require.Empty(t, r.reg.version("c"))
}
