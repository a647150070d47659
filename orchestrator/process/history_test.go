package process

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestAnEventThatCannotHaveHappenedDamagesTheStateAndNeverPanics(t *testing.T) {
	begun := []Event{
		ProcessStarted{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(3)}}, StepStarted{Address: "work", Tasks: 3},
	}
	for name, e := range map[string]Event{
		"a second start":           ProcessStarted{ID: "p", Definition: fanOut(0)},
		"an unknown step":          StepStarted{Address: "elsewhere", Tasks: 1},
		"a negative count":         StepStarted{Address: "work", Tasks: -1},
		"a task for no part":       StepStarted{Address: "work", Generation: 1, Tasks: 4},
		"tasks beyond the step":    TasksScheduled{Address: "work", Attempt: 1, Tasks: task.Span(2, 2)},
		"no tasks":                 TasksConfirmed{Address: "work", Attempt: 1},
		"another generation":       TasksConfirmed{Address: "work", Generation: 4, Attempt: 1, Tasks: task.Span(0, 1)},
		"a merge that never began": TasksConfirmed{Address: SealPrefix + "out", Attempt: 1, Tasks: task.Span(5, 1)},
		"the end of a merge":       StepCompleted{Address: SealPrefix + "out"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Fold(Fold(State{}, begun...), e)
			require.ErrorContains(t, s.Damage(), "event 3 of process \"p\" makes no sense")
			_, err := Decide(s, ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Span(0, 1)})
			require.ErrorContains(t, err, "the process stands still")
		})
	}
	s := Fold(State{}, StepStarted{Address: "work", Tasks: 3})
	require.ErrorContains(t, s.Damage(), "it comes before ProcessStarted")
}

func TestResumeSendsWhatIsOpenAndSetsTheTimersOfPlannedRetries(t *testing.T) {
	s := decideAll(t, State{},
		StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(10)}, At: start},
		ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Of(0, 1, 5), At: start},
		FailTasks{Address: "work", Attempt: 1, Tasks: task.Of(2, 3), Error: "x", Verdict: task.Retry, At: start},
		LoseTasks{Address: "work", Attempt: 1, Tasks: task.Of(7), At: start},
	)
	require.Equal(t, []Effect{
		Enqueue{Address: "work", Attempt: 1, Tasks: task.Of(4, 6, 8, 9)},
		Enqueue{Address: "work", Attempt: 2, Tasks: task.Of(7)},
		SetTimer{Due: start.Add(1e9), Address: "work", Attempt: 2, Tasks: task.Of(2, 3)},
	}, Resume(s))
}

func TestResumeHaltsAFailedProcessAgainAndLeavesACompletedOneAlone(t *testing.T) {
	s := decideAll(t, State{},
		StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(1)}, At: start})
	failed := decideAll(t, s, FailTasks{Address: "work", Attempt: 1, Tasks: task.Of(0), Error: "x", Verdict: task.Permanent, At: start})
	require.Equal(t, []Effect{Halt{}}, Resume(failed))
	done := decideAll(t, s, ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Of(0), At: start})
	require.Equal(t, Completed, done.Status)
	require.Empty(t, Resume(done))
}

func TestWhatIsAskedOfATaskThatThereCannotBeIsAnsweredAndNeverPanics(t *testing.T) {
	begun := Fold(State{},
		ProcessStarted{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(3)}},
		StepStarted{Address: "work", Tasks: 3}, TasksScheduled{Address: "work", Attempt: 1, Tasks: task.Span(0, 3)})
	for name, s := range map[string]State{"of a process": begun, "of none that was started": {}} {
		t.Run(name, func(t *testing.T) {
			for _, index := range []int{-1 << 40, -513, -1, 3, task.MaxIndex, 1 << 40} {
				s.IsCurrent("work", index, 1)
				attempt, due := s.Attempt("work", index)
				require.Equal(t, 1, attempt)
				require.Zero(t, due)
				require.Empty(t, s.Element("work", index))
				_, err := Message(s, Enqueue{Address: "work", Attempt: 1}, task.Ranges{{First: index, Count: 1}})
				require.Error(t, err, "task %d", index)
				_, err = MessageAgain(s, "work", index)
				require.Error(t, err, "task %d", index)
			}
		})
	}
	_, err := Child(State{}, StartChildren{Address: "work", Attempt: 1}, 0, nil, start)
	require.Error(t, err)
}
