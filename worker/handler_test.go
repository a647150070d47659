package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

func TestAHandlerReadsItsElementAndWhatItWritesIsReportedThenTheMessageIsAcknowledged(t *testing.T) {
	r := newRig(t)
	Handle(r.reg, "copy", func(ctx context.Context, t *Task) error {
		in, err := t.Open("in")
		if err != nil {
			return err
		}
		defer in.Close()
		text, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		return write(ctx, t, t.Key(), strings.ToUpper(string(text)))
	})
	got := r.do(message(handler("copy"), task.Part{Key: "k", Name: "a.txt", Value: []byte(`"x"`)}))
	require.Equal(t, task.Done, got.Outcome)
	require.Equal(t, task.Of(0), got.Tasks)
	require.Equal(t, []string{`k/a.txt: "X"`}, r.written(got), "key and name are those of the element")
	require.Zero(t, r.pending())
}

func TestManyPartsTravelInAManifest(t *testing.T) {
	r := newRig(t)
	Handle(r.reg, "many", func(ctx context.Context, t *Task) error {
		for i := range 50 {
			if err := write(ctx, t, fmt.Sprintf("k%02d", i), "text"); err != nil {
				return err
			}
		}
		return nil
	})
	got := r.do(message(handler("many")))
	require.NotNil(t, got.Manifest)
	require.Empty(t, got.Parts)
	require.Len(t, r.written(got), 50)
}

func TestATypedHandlerTakesAndGivesJSON(t *testing.T) {
	r := newRig(t)
	HandleJSON(r.reg, "double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	require.Equal(t, []string{"/: 42"}, r.written(r.do(message(handler("double"), value("21")))))
	bad := r.do(message(handler("double"), value(`"not a number"`)))
	require.Equal(t, task.Permanent, bad.Failure.Verdict)
}

func TestAFailureSaysWhatItAsksFor(t *testing.T) {
	for name, test := range map[string]struct {
		do      func() error
		verdict task.Verdict
		says    string
	}{
		"a plain error":         {func() error { return errors.New("disk full") }, task.Retry, "disk full"},
		"a permanent error":     {func() error { return fmt.Errorf("row 3: %w", Permanent(errors.New("no number"))) }, task.Permanent, "row 3: no number"},
		"a later attempt":       {func() error { return fmt.Errorf("row 3: %w", RetryAfter(time.Minute, errors.New("busy"))) }, task.Retry, "row 3: busy"},
		"a panic":               {func() error { panic("at the disco") }, task.Retry, "at the disco"},
		"a panic and its stack": {func() error { panic("x") }, task.Retry, "handler_test.go"},
		"an early goexit":       {func() error { runtime.Goexit(); return nil }, task.Retry, "Goexit"},
		"a very long error":     {func() error { return errors.New("begin " + strings.Repeat("x", 1<<20) + " end") }, task.Retry, "begin "},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			Handle(r.reg, "fail", func(context.Context, *Task) error { return test.do() })
			got := r.do(message(handler("fail")))
			require.Equal(t, task.Failed, got.Outcome)
			require.Equal(t, test.verdict, got.Failure.Verdict)
			require.Contains(t, got.Failure.Error, test.says)
			require.LessOrEqual(t, len(got.Failure.Error), task.MaxError)
		})
	}
}

func TestAHandlerSaysWhenToTryAgainWithinADay(t *testing.T) {
	busy := errors.New("busy")
	for name, test := range map[string]struct {
		err   error
		after time.Duration
		want  task.Verdict
	}{
		"in a minute":            {RetryAfter(time.Minute, busy), time.Minute, task.Retry},
		"wrapped":                {fmt.Errorf("call: %w", RetryAfter(time.Minute, busy)), time.Minute, task.Retry},
		"in a year":              {RetryAfter(365*24*time.Hour, busy), 24 * time.Hour, task.Retry},
		"at once":                {RetryAfter(0, busy), 0, task.Retry},
		"in the past":            {RetryAfter(-time.Minute, busy), 0, task.Retry},
		"permanent weighs more":  {RetryAfter(time.Minute, Permanent(busy)), 0, task.Permanent},
		"and so it does outside": {Permanent(RetryAfter(time.Minute, busy)), 0, task.Permanent},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			Handle(r.reg, "busy", func(context.Context, *Task) error { return test.err })
			got := r.do(message(handler("busy"))).Failure
			require.Equal(t, test.want, got.Verdict)
			require.Equal(t, task.Duration(test.after), got.After)
			require.Contains(t, got.Error, "busy")
		})
	}
	require.NoError(t, RetryAfter(time.Minute, nil))
}

func TestWhatAHandlerGetsWrongIsAFailureThatSaysSo(t *testing.T) {
	for name, test := range map[string]struct {
		do   HandlerFunc
		says string
	}{
		"an input that is not there":  {func(_ context.Context, t *Task) error { _, err := t.Open("imn"); return err }, `"in"`},
		"an output that is not there": {func(_ context.Context, t *Task) error { _, err := t.Create("oout"); return err }, `"out"`},
		"an output left open":         {func(_ context.Context, t *Task) error { _, err := t.Create("out"); return err }, "close"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			Handle(r.reg, "wrong", test.do)
			got := r.do(message(handler("wrong"), value("1")))
			require.Equal(t, task.Failed, got.Outcome)
			require.Contains(t, strings.ToLower(got.Failure.Error), test.says)
		})
	}
}

func TestAHandlerThatRunsTooLongTimesOutAndOneThatDoesNotListenIsAbandoned(t *testing.T) {
	r := newRig(t)
	Handle(r.reg, "listens", func(ctx context.Context, _ *Task) error { <-ctx.Done(); return ctx.Err() })
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	Handle(r.reg, "deaf", func(context.Context, *Task) error { <-release; return nil })
	for _, name := range []string{"listens", "deaf"} {
		w := message(handler(name))
		w.Timeout = task.Duration(20 * time.Millisecond)
		got := r.do(w)
		require.Equal(t, task.TimedOut, got.Failure.Verdict, name)
		require.Contains(t, got.Failure.Error, "20ms")
	}
}

func TestARedeliveryIsNeverRunButReportedAsLost(t *testing.T) {
	r := newRig(t)
	ran := 0
	Handle(r.reg, "count", func(context.Context, *Task) error { ran++; return nil })
	r.send(message(handler("count")))
	_, err := r.work.Receive(t.Context(), 1, 0) // by a worker that dies
	require.NoError(t, err)
	r.now = r.now.Add(11 * time.Second)
	r.step(r.worker())
	got := r.results()
	require.Len(t, got, 1)
	require.Equal(t, task.Lost, got[0].Outcome)
	require.Equal(t, 1, got[0].Attempt)
	require.Zero(t, ran)
	require.Zero(t, r.pending())
}

func TestAMessageThatMakesNoSenseIsKeptInQuarantine(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.work.Send(t.Context(), queue.Message{Key: "p", Body: []byte("\x00junk")}))
	r.step(r.worker())
	bad, err := r.quarantine.Receive(t.Context(), 10, 0)
	require.NoError(t, err)
	require.Len(t, bad, 1)
	require.Zero(t, r.pending())
	require.Empty(t, r.results())
}

func TestADrainHandsBackWhatWasNotBegun(t *testing.T) {
	r := newRig(t)
	Handle(r.reg, "noop", func(context.Context, *Task) error { return nil })
	w := r.worker()
	r.step(w)
	work := message(handler("noop"))
	work.Tasks = task.Span(0, 5) // one message, five tasks
	r.send(work)
	for len(w.holds(r.now)) == 0 {
		_, err := w.Step(t.Context(), r.now)
		require.NoError(t, err)
	}
	w.Drain()
	r.step(w)
	tasks := map[task.Outcome]int{}
	for _, res := range r.results() {
		tasks[res.Outcome] += res.Tasks.Len()
	}
	require.Equal(t, 5, tasks[task.Done]+tasks[task.Returned])
	require.NotZero(t, tasks[task.Returned])
	require.Zero(t, r.pending())
}

func TestTwoHandlersOfOneNameAreAMistakeInTheProgram(t *testing.T) {
	reg := NewRegistry()
	Handle(reg, "a", func(context.Context, *Task) error { return nil })
	require.PanicsWithValue(t, `worker.Handle: "a" is registered already`, func() {
		Handle(reg, "a", func(context.Context, *Task) error { return nil })
	})
	require.Panics(t, func() { Handle(reg, "deed/mine", func(context.Context, *Task) error { return nil }) })
	require.Equal(t, []string{"a"}, reg.Names())
}
