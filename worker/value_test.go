package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

// typed declares the type of the output of a message, and a second one of any data.
func typed(w task.Work, kind string) task.Work {
	w.Outputs = []task.Output{{Local: "out", Data: "score", JSON: kind}, {Local: "rest", Data: "rest"}}
	return w
}

func TestAValueOfADeclaredTypeIsReportedInlineAndInForm(t *testing.T) {
	for name, write := range map[string]func(*Task) error{
		"emitted": func(t *Task) error { return t.Emit("out", map[string]any{"b": 1.5, "a": "<x>"}) },
		"written": func(t *Task) error { return write(t.ctx, t, "", " { \"a\" : \"<x>\",\n\"b\":1.5 }\n") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			Handle(r.reg, "h", func(_ context.Context, t *Task) error { return write(t) })
			got := r.do(typed(message(handler("h")), "object"))
			require.Equal(t, task.Done, got.Outcome, "%+v", got.Failure)
			require.Len(t, got.Parts, 1)
			require.Equal(t, "score", got.Parts[0].Data)
			require.Equal(t, `{"a":"\u003cx\u003e","b":1.5}`, string(got.Parts[0].Value), "as encoding/json writes it, so that no way changes it")
		})
	}
}

func TestAWrongValueFailsTheTaskForGood(t *testing.T) {
	for text, test := range map[string]struct{ kind, says string }{
		`"abc"`:                        {"number", `it is string ("abc"), but the step declares a number`},
		`null`:                         {"number", `it is null (null), but the step declares a number`},
		`1e999`:                        {"number", `it is a number beyond all that can be computed with (1e999)`},
		`{"a": 1} {"b": 2}`:            {"object", "it is not one JSON value, but the step declares an object"},
		`tru`:                          {"boolean", "it is not one JSON value"},
		" \n":                          {"boolean", "it is empty"},
		"\"\xff\"":                     {"string", "it is not text in UTF-8"},
		strings.Repeat("1", 1025):      {"number", "it is a number beyond all"},
		quoted(1023):                   {"string", "it has 1025 bytes or more, but a string whose type is declared may have 1024: write it as data, without a json type"},
		quoted(100 * task.MaxValue):    {"string", "but a string whose type is declared may have 1024"},
		strings.Repeat("[", 1e4) + "]": {"array", "it is not one JSON value"},
	} {
		t.Run(clip(text), func(t *testing.T) {
			r := newRig(t)
			Handle(r.reg, "h", func(ctx context.Context, t *Task) error { return write(ctx, t, "", text) })
			got := r.do(typed(message(handler("h")), test.kind))
			require.Equal(t, task.Failed, got.Outcome)
			require.Equal(t, task.Permanent, got.Failure.Verdict)
			require.Contains(t, got.Failure.Error, test.says)
		})
	}
}

func quoted(n int) string { return `"` + strings.Repeat("x", n) + `"` }

func TestAWrongValueFailsTheTaskAlsoIfTheHandlerDoesNotLook(t *testing.T) {
	r := newRig(t)
	Handle(r.reg, "h", func(_ context.Context, t *Task) error {
		_ = t.Emit("out", "text")
		return nil
	})
	got := r.do(typed(message(handler("h")), "number"))
	require.Equal(t, task.Failed, got.Outcome)
	require.Equal(t, task.Permanent, got.Failure.Verdict)
	require.Contains(t, got.Failure.Error, `output "out"`)
}

func TestSmallValuesStayInTheReportWhenTheRestIsListedElsewhere(t *testing.T) {
	r := newRig(t)
	Handle(r.reg, "h", func(_ context.Context, t *Task) error {
		for i := range 60 {
			out, err := t.CreateNamed("rest", fmt.Sprintf("k%02d", i), "name")
			if err != nil {
				return err
			}
			if err := out.Close(); err != nil {
				return err
			}
		}
		return t.Emit("out", 0.5)
	})
	got := r.do(typed(message(handler("h")), "number"))
	require.Equal(t, task.Done, got.Outcome, "%+v", got.Failure)
	require.NotNil(t, got.Manifest)
	require.Len(t, got.Parts, 1)
	require.Equal(t, "0.5", string(got.Parts[0].Value))
	listed := 0
	for p, err := range r.blobs.ReadReport(t.Context(), *got.Manifest) {
		require.NoError(t, err)
		require.Equal(t, "rest", p.Data)
		listed++
	}
	require.Equal(t, 60, listed)
}

func TestManySmallValuesOfOneTaskAreRefusedAndSoNoReportIsTooLarge(t *testing.T) {
	r := newRig(t)
	Handle(r.reg, "h", func(_ context.Context, t *Task) error {
		for i := range 10_000 {
			if err := t.EmitKeyed("out", strings.Repeat("\n", i%1000), i); err != nil {
				return err
			}
		}
		return nil
	})
	got := r.do(typed(message(handler("h")), "number"))
	require.Equal(t, task.Failed, got.Outcome)
	require.Equal(t, task.Permanent, got.Failure.Verdict)
	require.Contains(t, got.Failure.Error, "one task writes at most 32 KiB of small values together, keys and names included")
}

func TestAReportOfSmallValuesIsNeverLargerThanItIsTakenFor(t *testing.T) {
	parts := []task.Produced{{Data: "score", Part: task.Part{Key: "<&>\n\"\\\u2028", Name: strings.Repeat("\x01", 100), Value: []byte("1")}}}
	text, err := json.Marshal(task.Result{Address: "step", Attempt: 1, Tasks: task.Of(1 << 30), Outcome: task.Done, Parts: parts})
	require.NoError(t, err)
	require.LessOrEqual(t, len(text), weight(task.Result{Parts: parts}))
}
