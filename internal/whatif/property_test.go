package whatif_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// randomDefinition is an acyclic graph of steps that fan out or do not, with
// policies of all kinds.
func randomDefinition(t *rapid.T) definition.Definition {
	def := definition.Definition{Name: "random", Inputs: []string{"photos"}}
	def.Deadline = task.Duration(rapid.SampledFrom([]time.Duration{0, 0, 40 * time.Second, 4 * time.Minute}).Draw(t, "deadline"))
	known := []string{"photos"}
	for i := range rapid.IntRange(1, 4).Draw(t, "steps") {
		s := definition.Step{Address: fmt.Sprintf("g/s%d", i), Run: task.Run{Handler: "any"}}
		randomPolicy(t, &s)
		pick := func() definition.Binding { return names(rapid.SampledFrom(known).Draw(t, "reads"))[0] }
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 0, 1:
			s.Each = &definition.Each{Binding: pick()}
		case 2:
			s.Each = &definition.Each{Binding: pick(), ByKey: true, Into: rapid.IntRange(0, 3).Draw(t, "into")}
		default:
			s.In = []definition.Binding{pick()}
		}
		s.Out = definition.Outputs(names(fmt.Sprintf("d%d", i))...)
		if rapid.IntRange(0, 3).Draw(t, "children") == 0 {
			randomChild(t, &s)
		}
		if rapid.IntRange(0, 7).Draw(t, "condition") == 0 {
			s.When = &definition.Condition{Text: "some", Expr: definition.Expr{Op: ">", Args: []definition.Expr{
				{Op: definition.OpCount, Name: s.Reads()[0]}, {Op: definition.OpValue, Value: json.RawMessage("1")},
			}}}
		}
		known = append(known, s.Out[0].Data)
		def.Steps = append(def.Steps, s)
	}
	return def
}

// randomChild makes each task of a step a process, and repeats it if there is only one.
func randomChild(t *rapid.T, s *definition.Step) {
	reads := s.In
	if s.Each != nil {
		reads = []definition.Binding{s.Each.Binding}
	} else if rapid.Bool().Draw(t, "rounds") {
		s.Repeat, s.Tolerate = &definition.Repeat{Max: rapid.IntRange(1, 3).Draw(t, "max")}, definition.Tolerance{}
	}
	s.Run, s.Process = task.Run{}, &definition.Definition{
		Name: "child", Inputs: []string{reads[0].Local}, Outputs: []string{s.Out[0].Local},
		Steps: []definition.Step{{Address: "inner", Run: task.Run{Handler: "any"}, In: names(reads[0].Local), Out: definition.Outputs(names(s.Out[0].Local)...)}},
	}
}

func randomPolicy(t *rapid.T, s *definition.Step) {
	backoff := task.Duration(rapid.IntRange(0, 5).Draw(t, "backoff")) * task.Duration(time.Second)
	s.Retry = definition.Retry{
		Attempts: rapid.IntRange(1, 4).Draw(t, "attempts"), Backoff: definition.Backoff{Min: backoff, Max: 4 * backoff},
		Jitter: rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "jitter"),
	}
	s.Parallelism = rapid.SampledFrom([]int{0, 1, 3}).Draw(t, "parallelism")
	s.Tolerate = definition.Tolerance{Count: rapid.SampledFrom([]int{0, 1, 5}).Draw(t, "tolerate")}
	if s.Repeat != nil {
		s.Tolerate = definition.Tolerance{}
	}
	s.Timeout = task.Duration(rapid.SampledFrom([]time.Duration{0, 2 * time.Second, time.Minute}).Draw(t, "timeout"))
}

// randomHistory is what happens to a process when everything goes wrong that
// may, and persons meddle.
func randomHistory(t *rapid.T, tb testing.TB) *story {
	s := begin(tb, randomDefinition(t), rapid.IntRange(0, 6).Draw(t, "photos"))
	now := noon
	for n := range rapid.IntRange(0, 60).Draw(t, "turns") {
		now = now.Add(time.Duration(rapid.IntRange(-500, 5000).Draw(t, "passing")) * time.Millisecond)
		if rapid.IntRange(0, 11).Draw(t, "who") == 0 {
			s.meddle(t, n, now)
			continue
		}
		var open []process.Enqueue
		var commands []process.Command
		for _, effect := range process.Resume(s.state) {
			switch e := effect.(type) {
			case process.Enqueue:
				open = append(open, e)
			case process.StartChildren:
				open = append(open, process.Enqueue(e))
			case process.SetTimer:
				commands = append(commands, process.FireTimer{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, At: now})
			case process.SetDeadline:
				commands = append(commands, process.FireDeadline{At: now})
			}
		}
		if len(open) > 0 {
			e := rapid.SampledFrom(open).Draw(t, "task")
			e.Tasks, _ = e.Tasks.Take(rapid.IntRange(1, 3).Draw(t, "so many"))
			commands = append(commands, s.outcome(t, e, now))
		}
		if len(commands) > 0 {
			s.tell(rapid.SampledFrom(commands).Draw(t, "which"))
		}
	}
	return s
}

// outcome is a result of tasks, or of an older attempt at them that is late.
func (s *story) outcome(t *rapid.T, e process.Enqueue, now time.Time) process.Command {
	attempt := rapid.IntRange(max(1, e.Attempt-1), e.Attempt).Draw(t, "attempt")
	elapsed := task.Duration(rapid.IntRange(0, 9).Draw(t, "elapsed")) * task.Duration(time.Second)
	switch rapid.SampledFrom([]string{"done", "done", "done", "failed", "lost", "late", "pointless", "asks"}).Draw(t, "outcome") {
	case "failed":
		return process.FailTasks{Address: e.Address, Generation: e.Generation, Attempt: attempt, Tasks: e.Tasks, Error: "x", Verdict: task.Retry, At: now}
	case "asks":
		return process.FailTasks{
			Address: e.Address, Generation: e.Generation, Attempt: attempt, Tasks: e.Tasks, Error: "busy", Verdict: task.Retry,
			After: task.Duration(7500 * time.Millisecond), At: now,
		}
	case "pointless":
		return process.FailTasks{Address: e.Address, Generation: e.Generation, Attempt: attempt, Tasks: e.Tasks, Error: "bad", Verdict: task.Permanent, At: now}
	case "lost":
		return process.LoseTasks{Address: e.Address, Generation: e.Generation, Attempt: attempt, Tasks: e.Tasks, At: now}
	case "late":
		return process.TryTimeoutTask{Address: e.Address, Generation: e.Generation, Attempt: attempt, Index: e.Tasks[0].First, Elapsed: elapsed, At: now}
	}
	c := process.ConfirmTasks{Address: e.Address, Generation: e.Generation, Attempt: attempt, Tasks: e.Tasks, Elapsed: elapsed, At: now}
	if step, isStep := s.state.Step(e.Address); isStep && step.Process != nil {
		c.Tasks = task.Span(e.Tasks[0].First, 1)
		c.Lists = map[string]task.Dataset{step.Out[0].Local: task.Inline([]task.Part{{Key: "k", Value: json.RawMessage("1")}})}
		return c
	}
	w, err := process.Message(s.state, e, e.Tasks)
	require.NoError(s.t, err)
	switch {
	case w.Seal != nil:
		c.Tasks = task.Span(e.Tasks[0].First, 1)
		c.Sealed = &task.Dataset{Count: 3, Keys: 2, Digest: "merged", Manifest: &task.Manifest{Ref: task.Ref{Key: "m"}}}
	case rapid.IntRange(0, 5).Draw(t, "form") == 0:
		c.Manifest = &task.Ref{Key: "report", Size: 1, SHA256: "00"}
	default:
		for i := range e.Tasks.All() {
			c.Parts = append(c.Parts, task.Produced{
				Index: i, Data: w.Outputs[0].Data, Part: task.Part{Key: fmt.Sprintf("k%d", i%2), Value: json.RawMessage(fmt.Sprint(i))},
			})
		}
	}
	if w.Seal == nil && rapid.IntRange(0, 4).Draw(t, "reused") == 0 {
		return process.ReuseTasks{Address: c.Address, Generation: c.Generation, Attempt: c.Attempt, Tasks: c.Tasks, Parts: c.Parts, Manifest: c.Manifest, At: now}
	}
	return c
}

// meddle is a person's command; many are refused.
func (s *story) meddle(t *rapid.T, n int, now time.Time) {
	asked := process.Asked{By: "ada", Command: fmt.Sprint(n)}
	address := rapid.SampledFrom(s.state.Definition.Steps).Draw(t, "at").Address
	revised := *s.state.Definition
	revised.Steps = append([]definition.Step(nil), revised.Steps...)
	revised.Parallelism = rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(t, "parallelism of all")
	randomPolicy(t, &revised.Steps[0])
	c := rapid.SampledFrom([]process.Command{
		process.PauseProcess{Asked: asked, At: now},
		process.ResumeProcess{Asked: asked, At: now},
		process.CancelProcess{Asked: asked, At: now},
		process.RetryTasks{Asked: asked, At: now},
		process.RetryTasks{Address: "g", Asked: asked, At: now},
		process.RetryTasks{Address: address, Asked: asked, At: now},
		process.RetryTasks{Address: address, Tasks: task.Span(0, 1), Asked: asked, At: now},
		process.RestartFrom{Address: address, Asked: asked, At: now},
		process.ReviseProcess{Definition: revised, Asked: asked, At: now},
	}).Draw(t, "request")
	if _, err := process.Decide(s.state, c); err == nil {
		s.tell(c)
	}
}

func unchanged(d definition.Definition) (definition.Definition, error) { return d, nil }

func TestUnderTheDefinitionThatItHadEveryHistoryHappensTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := randomHistory(rt, t)
		report, err := replayed(s.history, unchanged)
		require.NoError(rt, err)
		require.Nil(rt, report.Divergence)
		require.Empty(rt, report.Changes)
		require.Empty(rt, report.More)
		require.Empty(rt, report.Fewer)
		require.Zero(rt, report.LeftOut)
		require.Equal(rt, report.Recorded, report.Instead)
		require.EqualValues(rt, len(s.history), report.Events)
	})
}

func TestUnderAnyOtherPolicyWhatIsToldAddsUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := randomHistory(rt, t)
		other := *s.state.Original
		other.Steps = append([]definition.Step(nil), other.Steps...)
		for i := range other.Steps {
			randomPolicy(rt, &other.Steps[i])
		}
		other.Parallelism = rapid.SampledFrom([]int{0, 1, 2, 100}).Draw(rt, "other parallelism of all")
		other.Deadline = task.Duration(rapid.SampledFrom([]time.Duration{0, 30 * time.Second}).Draw(rt, "other deadline"))
		report, err := replayed(s.history, func(definition.Definition) (definition.Definition, error) { return other, nil })
		require.NoError(rt, err)
		if report.Divergence == nil {
			require.Empty(rt, report.More)
			require.Equal(rt, report.Recorded.Status, report.Instead.Status)
			return
		}
		require.NotEmpty(rt, append(report.Divergence.Recorded, report.Divergence.Instead...))
		require.LessOrEqual(rt, report.Divergence.Event, report.Events+1)
		if len(report.Unknown) > 0 {
			require.Contains(rt, []process.Status{process.Running, process.Paused}, report.Instead.Status, "an end is not known where a result is missing")
		}
		again, err := replayed(s.history, func(definition.Definition) (definition.Definition, error) { return other, nil })
		require.NoError(rt, err)
		require.Equal(rt, report, again, "the same replay again tells the same")
	})
}
