package process

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// told is a history, of which things are asked.
type told struct {
	t       *testing.T
	state   State
	history []Event
	at      time.Time
}

func tell(t *testing.T, def definition.Definition, parts int) *told {
	x := &told{t: t, at: start}
	return x.do(StartProcess{ID: "p", Definition: def, Inputs: map[string]task.Dataset{"in": listOf(parts)}, At: start})
}

func (x *told) do(c Command) *told {
	x.t.Helper()
	events, err := Decide(x.state, c)
	require.NoError(x.t, err)
	x.state = Fold(x.state, events...)
	require.NoError(x.t, x.state.Damage())
	x.history = append(x.history, events...)
	return x
}

func (x *told) why(address string, index int) Explanation {
	x.t.Helper()
	var concerned []Event
	for _, e := range x.history {
		if Concerns(e, address, index) {
			concerned = append(concerned, e)
		}
	}
	why, err := Why(x.state, address, index, concerned, x.at)
	require.NoError(x.t, err)
	require.NotEmpty(x.t, why.Because)
	return why
}

func (e Explanation) said() string { return strings.Join(e.Because, "\n") }

func (e Explanation) told() string {
	var lines []string
	for _, h := range e.Story {
		lines = append(lines, h.At.Format(time.TimeOnly)+" "+h.Text)
	}
	return strings.Join(lines, "\n")
}

// twoSteps reads in with work, and its result with join.
func twoSteps() definition.Definition {
	def := fanOut(0)
	out := definition.Binding{Local: "out", Data: "out"}
	def.Steps = append(def.Steps, definition.Step{
		Address: "join", Run: task.Run{Handler: "noop"}, In: []definition.Binding{out},
		Out: definition.Outputs(definition.Binding{Local: "all", Data: "all"}), Retry: definition.Retry{Attempts: 1},
	})
	def.Outputs = []string{"all"}
	return def
}

// sideBySide reads in with two steps that run at the same time.
func sideBySide(parallelism int) definition.Definition {
	def := fanOut(0)
	def.Parallelism = parallelism
	beside := def.Steps[0]
	beside.Address, beside.Out = "beside", nil
	def.Steps = append(def.Steps, beside)
	return def
}

func failed(index, attempt int, at time.Time) Command {
	return FailTasks{Address: "work", Attempt: attempt, Tasks: task.Of(index), Error: "disk full", Verdict: task.Retry, Worker: "w1", At: at}
}

func TestWhyATaskHasNotStarted(t *testing.T) {
	t.Run("its step waits for data that another one writes", func(t *testing.T) {
		x := tell(t, twoSteps(), 3).do(ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Of(0), At: start})
		why := x.why("join", 0)
		require.Equal(t, IsWaiting, why.Standing)
		require.Equal(t, "it reads out, which work writes: 1/3 tasks of work are done", why.said())
		require.Equal(t, []string{"work"}, why.WaitsFor)
	})
	t.Run("others of its step are open, and no more may be", func(t *testing.T) {
		why := tell(t, fanOut(2), 5).why("work", 3)
		require.Equal(t, IsHeldBack, why.Standing)
		require.Equal(t, "of its step no more than 2 tasks may be open at a time (parallelism), and 2 are; 1 other comes before it", why.said())
	})
	t.Run("others of its process are open, and no more may be", func(t *testing.T) {
		x := tell(t, sideBySide(3), 5)
		why := x.why("work", 4)
		require.Equal(t, IsHeldBack, why.Standing)
		require.Equal(t, []string{"parallelism"}, why.Raise)
		require.Equal(t, "of the whole process no more than 3 tasks may be open at a time (parallelism), and 3 are, 2 of its step; of its step 2 others come before it", why.said())
		require.Contains(t, x.why("beside", -1).said(), "4 tasks are held back: of the whole process no more than 3 may be open at a time (parallelism), and 3 are")
	})
	t.Run("neither its step nor its process has room", func(t *testing.T) {
		def := sideBySide(3)
		def.Steps[1].Parallelism = 1
		x := tell(t, def, 5)
		require.Equal(t, []string{"beside.parallelism", "parallelism"}, x.why("beside", 2).Raise)
		require.Equal(t, []string{"parallelism"}, x.why("work", 2).Raise)
		x.do(PauseProcess{At: start}).do(ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Of(0), At: start})
		require.Equal(t, "the process is paused", x.why("work", 2).said(), "there is room, and nobody is to have it")
	})
	t.Run("a person paused the process", func(t *testing.T) {
		x := tell(t, fanOut(2), 5).do(PauseProcess{Asked: Asked{By: "ada", Reason: "lunch"}, At: start})
		why := x.why("work", 3)
		require.Equal(t, IsPaused, why.Standing)
		require.Contains(t, why.said(), "the process is paused by ada: lunch")
		require.Contains(t, x.why("work", 0).said(), "the process is paused by ada: lunch; if a worker is executing it, that goes on and its result counts")
	})
	t.Run("it waits for its retry", func(t *testing.T) {
		x := tell(t, fanOut(0), 3).do(failed(1, 1, start))
		why := x.why("work", 1)
		require.Equal(t, IsRetrying, why.Standing)
		require.Equal(t, start.Add(time.Second), why.Due)
		require.Equal(t, "it waits until 12:00:01 (in 1s) to be tried again, as attempt 2; it has failed 1 of the 3 times that its step allows", why.said())
		require.Contains(t, why.told(), "12:00:00 attempt 1 failed on worker w1 (retry): disk full")
		x.at = start.Add(time.Hour)
		require.Contains(t, x.why("work", 1).said(), "it is due to be tried again, as attempt 2")
	})
	t.Run("nothing keeps it but that no worker has begun", func(t *testing.T) {
		why := tell(t, fanOut(0), 3).why("work", 2)
		require.Equal(t, IsScheduled, why.Standing)
		require.Equal(t, "attempt 1 is scheduled, for whichever worker takes it", why.said())
	})
	t.Run("the process was cancelled", func(t *testing.T) {
		x := tell(t, fanOut(0), 3).do(CancelProcess{Asked: Asked{By: "ada", Reason: "wrong data"}, At: start})
		why := x.why("work", 2)
		require.Equal(t, IsStopped, why.Standing)
		require.Contains(t, why.said(), "cancelled by ada: wrong data")
	})
}

func TestWhyATaskRanTwice(t *testing.T) {
	x := tell(t, fanOut(0), 3).
		do(LoseTasks{Address: "work", Attempt: 1, Tasks: task.Of(0, 1), At: start.Add(3 * time.Second)}).
		do(failed(1, 2, start.Add(4*time.Second))).
		do(FireTimer{Address: "work", Attempt: 3, Tasks: task.Of(1), At: start.Add(5 * time.Second)}).
		do(ConfirmTasks{Address: "work", Attempt: 3, Tasks: task.Of(1, 2), Worker: "w2", At: start.Add(6 * time.Second)})
	why := x.why("work", 1)
	require.Equal(t, IsConfirmed, why.Standing)
	require.Equal(t, "it was confirmed at 12:00:06, attempt 3 by worker w2\nit took 3 attempts; the story says what became of each", why.said())
	require.Equal(t, `12:00:00 process fan-out started with in of 3 parts under 3 keys
12:00:00 attempt 1 scheduled
12:00:03 attempt 1 lost with its worker
12:00:03 attempt 2 scheduled
12:00:04 attempt 2 failed on worker w1 (retry): disk full
12:00:04 attempt 3 planned, 1s later
12:00:05 attempt 3 scheduled
12:00:06 attempt 3 confirmed on worker w2`, why.told())
	require.Equal(t, "it was confirmed at 12:00:06, attempt 3 by worker w2", x.why("work", 2).said(), "one that went straight through has nothing else to tell")
}

func TestWhyATaskOfARestartedStepRanBefore(t *testing.T) {
	done := ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Of(0), At: start}
	x := tell(t, fanOut(0), 1).do(done).do(RestartFrom{Address: "work", Asked: Asked{By: "ada", Reason: "new model"}, At: start})
	require.Equal(t, IsScheduled, x.why("work", 0).Standing)
	done.Generation = 1
	why := x.do(done).why("work", 0)
	require.Equal(t, 1, why.Generation)
	require.Contains(t, why.said(), "its step was run before: this is generation 1")
	require.Contains(t, why.told(), "process restarted from work by ada")
	require.Contains(t, why.told(), "new model")
}

func TestWhyATaskIsGivenUp(t *testing.T) {
	def := fanOut(0)
	def.Steps[0].Tolerate = definition.Tolerance{Count: 1}
	bad := func(i int) Command {
		return FailTasks{Address: "work", Attempt: 1, Tasks: task.Of(i), Error: "no photo", Verdict: task.Permanent, At: start}
	}
	x := tell(t, def, 3).do(bad(1))
	why := x.why("work", 1)
	require.Equal(t, IsSkipped, why.Standing)
	require.Contains(t, why.said(), "its step goes on without it: failed for good: no photo")
	x.do(bad(2))
	why = x.why("work", 2)
	require.Equal(t, IsFailed, why.Standing)
	require.Contains(t, why.said(), "it ended the process: more than the 1 task that may fail")
	require.Equal(t, IsStopped, x.why("work", 0).Standing)
	all := x.why("", -1)
	require.Equal(t, IsFailed, all.Standing)
	require.Contains(t, all.said(), "process failed at work[2]")
	require.Contains(t, all.said(), "\nwork: 1/3 tasks are done, 1 of them skipped")
	require.NotContains(t, all.said(), "scheduled", "nothing is, any more")
}

func TestWhyAStepAndAProcessAreWhereTheyAre(t *testing.T) {
	x := tell(t, twoSteps(), 5).do(ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Of(0, 1), At: start}).do(failed(4, 1, start))
	step := x.why("work", -1)
	require.Equal(t, IsRunning, step.Standing)
	require.Equal(t, `2/5 tasks are done
2 tasks are scheduled, for whichever worker takes them
1 task is waiting for another attempt
work[4]: it waits until 12:00:01 (in 1s) to be tried again, as attempt 2; it has failed 1 of the 3 times that its step allows`, step.said())
	all := x.why("", -1)
	require.Equal(t, IsRunning, all.Standing)
	require.Contains(t, all.said(), "0/2 steps have completed\nwork: 2/5 tasks are done; ")
	require.Contains(t, all.said(), "\njoin: it reads out, which work writes: 2/5 tasks of work are done")
	x.do(ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Span(0, 5), At: start}).do(ConfirmTasks{Address: "join", Attempt: 1, Tasks: task.Of(0), At: start})
	require.Equal(t, IsCompleted, x.why("", -1).Standing)
	require.Equal(t, "5/5 tasks are done", x.why("work", -1).said())
}

func TestWhyOfWhatIsNotThereIsAnErrorThatHelps(t *testing.T) {
	x := tell(t, fanOut(0), 3)
	for text, where := range map[string]struct {
		address string
		index   int
	}{
		`process "p" has no step "werk"; did you mean "work"?`:     {"werk", 0},
		`process "p" has no step "elsewhere"; its steps are work`:  {"elsewhere", -1},
		`work of process "p" has 3 tasks, the last one is work[2]`: {"work", 3},
	} {
		_, err := Why(x.state, where.address, where.index, nil, start)
		require.EqualError(t, err, text)
	}
	_, err := Why(State{}, "", -1, nil, start)
	require.ErrorIs(t, err, ErrNotStarted)
}

func TestTheMessageOfATaskCanBeHadAgainWhenItIsDone(t *testing.T) {
	x := tell(t, twoSteps(), 3)
	want, err := Message(x.state, Enqueue{Address: "work", Attempt: 1}, task.Of(1))
	require.NoError(t, err)
	_, err = MessageAgain(x.state, "join", 0)
	require.EqualError(t, err, "join has not started: what it reads is not there yet")
	x.do(ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Span(0, 3), At: start})
	again, err := MessageAgain(x.state, "work", 1)
	require.NoError(t, err)
	require.Equal(t, want, again)
	_, err = MessageAgain(x.state, "work", 3)
	require.EqualError(t, err, "work has 3 tasks, and none is work[3]")
	_, err = MessageAgain(x.state, "werk", 0)
	require.ErrorContains(t, err, `did you mean "work"?`)
	_, err = MessageAgain(x.state, SealPrefix+"out", 0)
	require.ErrorContains(t, err, "what deed does itself")
}
