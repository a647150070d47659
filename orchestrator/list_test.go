package orchestrator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// two is a process of two steps: work, and a fan-out over what it wrote.
func two() definition.Definition {
	def := fanOut(func(s *definition.Step) { s.Tolerate = definition.Tolerance{Count: 1} })
	out := definition.Binding{Local: "out", Data: "out"}
	def.Steps = append(def.Steps, definition.Step{Address: "next", Run: task.Run{Handler: "any"}, In: []definition.Binding{out}})
	return def
}

func asked(command string) process.Asked {
	return process.Asked{By: "ada", Reason: "lunch", Command: command}
}

// listed is the process "p" in the list, which has to say what its state says.
func (r *rig) listed() Summary {
	r.t.Helper()
	all, err := summarise(r.ctx, r.store)
	require.NoError(r.t, err)
	require.Len(r.t, all, 1)
	s := r.state("p")
	var want Summary
	for _, p := range s.Steps() {
		want.Tasks += p.Tasks
		want.TasksDone += p.Confirmed
		want.Skipped += p.Skipped
		if p.Phase == "completed" {
			want.StepsDone++
		}
	}
	got := all[0]
	require.Equal(r.t, want, Summary{Tasks: got.Tasks, TasksDone: got.TasksDone, Skipped: got.Skipped, StepsDone: got.StepsDone})
	require.Equal(r.t, s.Status, got.Status)
	require.Equal(r.t, s.Reason(), got.Reason)
	require.Equal(r.t, s.EndedAt, got.EndedAt)
	return got
}

func TestTheListFollowsWhatPersonsDoToAProcess(t *testing.T) {
	r := newRig(t)
	r.send("p", two(), 4)
	r.report("p", done(task.Span(0, 2)))
	r.step()

	r.ask("p", process.PauseProcess{Asked: asked("1")})
	r.step()
	require.Equal(t, "process paused by ada: lunch", r.listed().Reason)
	r.ask("p", process.ResumeProcess{Asked: asked("2")})
	r.step()
	require.Empty(t, r.listed().Reason)

	// One task fails for good and is tolerated; then the second step fails.
	permanent := &task.Failure{Error: "no photo", Verdict: task.Permanent}
	r.report("p", done(task.Span(2, 1)), task.Result{Address: "work", Attempt: 1, Tasks: task.Span(3, 1), Outcome: task.Failed, Failure: permanent})
	r.report("p", task.Result{Address: "next", Attempt: 1, Tasks: task.Span(0, 1), Outcome: task.Failed, Failure: permanent})
	r.step()
	failed := r.listed()
	require.Equal(t, 1, failed.Skipped)
	require.Equal(t, 1, failed.StepsDone)
	require.Contains(t, failed.Reason, "process failed at next[0]")

	// A retry of what was skipped takes the first step back, and the second with it.
	r.ask("p", process.RetryTasks{Address: "work", Asked: asked("3")})
	r.step()
	again := r.listed()
	require.Equal(t, process.Running, again.Status)
	require.Zero(t, again.Skipped)
	require.Zero(t, again.StepsDone)
	require.Equal(t, 3, again.TasksDone)

	r.ask("p", process.CancelProcess{Asked: asked("4")})
	r.step()
	require.Equal(t, "process cancelled by ada: lunch", r.listed().Reason)
	r.ask("p", process.RestartFrom{Address: "work", Asked: asked("5")})
	r.step()
	require.Zero(t, r.listed().TasksDone)

	revised := two()
	revised.Version, revised.Steps = "2", revised.Steps[:1]
	r.ask("p", process.ReviseProcess{Definition: revised, Asked: asked("6")})
	r.step()
	require.Equal(t, 1, r.listed().Steps)
	require.Equal(t, "2", r.listed().Definition)
}

func TestWhatIsRecordedWhileNobodyOrchestratesHoldsForTheNextWhoDoes(t *testing.T) {
	r := begun(t, fanOut(), 5)
	before := r.state("p").Version

	s, err := Record(r.ctx, r.store, "p", r.now, process.PauseProcess{Asked: asked("1")})
	require.NoError(t, err)
	require.Equal(t, process.Paused, s.Status)
	require.Equal(t, r.now, s.Pause.At)
	_, err = Record(r.ctx, r.store, "p", r.now, process.PauseProcess{Asked: asked("1")})
	require.NoError(t, err)
	require.Equal(t, before+1, r.state("p").Version, "the same command again changes nothing")
	event, err := Granted(r.ctx, r.store, "p", before, "1")
	require.NoError(t, err)
	require.Equal(t, "process paused by ada: lunch", event.String())
	event, err = Granted(r.ctx, r.store, "p", before, "another")
	require.NoError(t, err)
	require.Nil(t, event)

	r.restart()
	r.step()
	require.Zero(t, r.pending("p"))
	_, err = Record(r.ctx, r.store, "p", r.now, process.RetryTasks{Address: "nowhere"})
	var refused *process.RefusedError
	require.ErrorAs(t, err, &refused)
	_, err = Record(r.ctx, r.store, "q", r.now, process.PauseProcess{})
	require.ErrorIs(t, err, process.ErrNotStarted)
}

func TestAnOrchestratorThatDoesNotKnowWhatWasRecordedDecidesAgain(t *testing.T) {
	r := begun(t, fanOut(), 5)
	_, err := Record(r.ctx, r.store, "p", r.now, process.CancelProcess{Asked: asked("1")})
	require.NoError(t, err)
	r.report("p", done(task.Span(0, 5)))
	r.step()
	require.Equal(t, process.Cancelled, r.state("p").Status)
	require.Zero(t, r.state("p").Steps()[0].Confirmed)
}

func TestAProcessWhoseDefinitionIsChangedAfterItsEndIsNotUnfinished(t *testing.T) {
	r := begun(t, two(), 4)
	_, err := Record(r.ctx, r.store, "p", r.now, process.CancelProcess{Asked: asked("1")})
	require.NoError(t, err)
	other := two()
	other.Version = "2"
	_, err = Record(r.ctx, r.store, "p", r.now, process.ReviseProcess{Definition: other, Asked: asked("2")})
	require.NoError(t, err)
	ids, err := Unfinished(r.ctx, r.store)
	require.NoError(t, err)
	require.Empty(t, ids)
	_, err = Record(r.ctx, r.store, "p", r.now, process.RetryTasks{Asked: asked("3")})
	require.NoError(t, err)
	ids, err = Unfinished(r.ctx, r.store)
	require.NoError(t, err)
	require.Equal(t, []string{"p"}, ids)
}

func TestAListOfManyTasksThatWereSkippedOneByOneIsQuick(t *testing.T) {
	const tasks = 100_000
	p := &listed{Started: map[string]listedStep{"work": {Tasks: tasks}}}
	began := time.Now()
	for i := 0; i < tasks; i += 2 {
		p.apply(process.TasksSkipped{Address: "work", Attempt: 1, Tasks: task.Of(i)})
	}
	require.Less(t, time.Since(began), 2*time.Second)
	require.Equal(t, tasks/2, p.summary().Skipped)
	p.apply(process.ProcessRetried{Tasks: []process.Reopened{{Address: "work", Tasks: task.Span(tasks/2, 2*tasks)}}})
	require.Equal(t, tasks/4, p.summary().Skipped)
}
