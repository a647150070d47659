package process

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestTheReasonOfAFailedProcessIsBoundedHoweverLongTheErrorOfATaskIs(t *testing.T) {
	s := decideAll(t, State{}, StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(2)}, At: start})
	s = decideAll(t, s, FailTasks{
		Address: "work", Attempt: 1, Tasks: task.Of(1), Error: strings.Repeat("no ", 1<<20), Verdict: task.Permanent, At: start.Add(time.Second),
	})
	require.Equal(t, Failed, s.Status)
	require.Less(t, len(s.Failure.Reason), 2*task.MaxError)
}

func TestAHistoryWhoseListsAreShorterThanItSaysIsDamagedAndNoMessageIsMadeOfIt(t *testing.T) {
	short := task.Dataset{Count: 3}
	def := fanOut(0)
	t.Run("an input", func(t *testing.T) {
		s := Fold(State{},
			ProcessStarted{ID: "p", Definition: def, Inputs: map[string]task.Dataset{"in": short}, At: start},
			StepStarted{Address: "work", Tasks: 3, At: start},
			TasksScheduled{Address: "work", Attempt: 1, Tasks: task.Span(0, 3), At: start})
		require.ErrorContains(t, s.Damage(), "says it has 3 parts but lists 0")
		require.Empty(t, s.Open("work", 0, task.Span(0, 3)))
	})
	t.Run("what a step wrote", func(t *testing.T) {
		s := decideAll(t, State{}, StartProcess{ID: "p", Definition: def, Inputs: map[string]task.Dataset{"in": listOf(2)}, At: start})
		s = Fold(s, StepCompleted{Address: "work", Data: map[string]task.Dataset{"out": short}, At: start})
		require.ErrorContains(t, s.Damage(), "says it has 3 parts but lists 0")
	})
}

// TestManyRetriesThatAreDueAtDifferentTimesAreResumedQuickly bounds a takeover:
// every second task of a large step waits for a time of its own.
func TestManyRetriesThatAreDueAtDifferentTimesAreResumedQuickly(t *testing.T) {
	const tasks = 60_000
	s := decideAll(t, State{}, StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": manifestOf(tasks)}, At: start})
	var planned []Event
	for i := 0; i < tasks; i += 2 {
		at := start.Add(time.Duration(i) * time.Millisecond)
		planned = append(planned,
			TasksFailed{Address: "work", Attempt: 1, Tasks: task.Of(i), Verdict: task.Retry, At: at},
			TasksRetryPlanned{Address: "work", Attempt: 2, Tasks: task.Of(i), Due: at.Add(time.Hour), At: at},
		)
	}
	s = Fold(s, planned...)
	require.NoError(t, s.Damage())
	began := time.Now()
	effects := Resume(s)
	require.Less(t, time.Since(began), 2*time.Second)
	require.Len(t, effects, 1+tasks/2, "what is under way, and a timer for each of the others")
	require.Equal(t, tasks/2, effects[0].(Enqueue).Tasks.Len())
}

func TestAHistoryWhoseMergesHaveNoResultIsDamagedAndNothingPanics(t *testing.T) {
	merging := decideAll(t, State{},
		StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": manifestOf(3)}, At: start},
		ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Span(0, 3), Manifest: &task.Ref{Key: "m", Size: 1, SHA256: "00"}, At: start},
		PauseProcess{At: start},
	)
	s := Fold(merging, TasksConfirmed{Address: "deed/seal/out", Attempt: 1, Tasks: task.Of(0), At: start})
	require.ErrorContains(t, s.Damage(), "merged list")
	_, err := Decide(s, ResumeProcess{At: start})
	require.ErrorContains(t, err, "stands still")
	list := manifestOf(3)
	require.NoError(t, Fold(merging, TasksConfirmed{Address: "deed/seal/out", Attempt: 1, Tasks: task.Of(0), Sealed: &list, At: start}).Damage())
}

// TestManyTasksThatAreSkippedOneByOneAreFoldedQuickly bounds a cold start: every
// second task of a large step was given up, each for a reason of its own.
func TestManyTasksThatAreSkippedOneByOneAreFoldedQuickly(t *testing.T) {
	const tasks = 100_000
	s := decideAll(t, State{}, StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": manifestOf(tasks)}, At: start})
	var given []Event
	for i := 0; i < tasks; i += 2 {
		given = append(given, TasksSkipped{Address: "work", Attempt: 1, Tasks: task.Of(i), Reason: "no", At: start})
	}
	began := time.Now()
	s = Fold(s, given...)
	require.Less(t, time.Since(began), 2*time.Second)
	require.NoError(t, s.Damage())
	step := s.Steps()[0]
	require.Equal(t, tasks/2, step.Skipped)
	require.Len(t, step.Skips, skipReasons+1)
	require.Equal(t, tasks/2-skipReasons, step.Skips[skipReasons].Tasks.Len())
	require.Empty(t, step.Skips[skipReasons].Reason)
}
