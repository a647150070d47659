package whatif

import (
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// commandOf is the command that leads to an event; ok is false for events that
// only ever follow from others.
func commandOf(s process.State, e process.Event) (c process.Command, ok bool) {
	switch e := e.(type) {
	case process.ProcessStarted:
		return process.StartProcess{ID: e.ID, Definition: e.Definition, Inputs: e.Inputs, Trace: e.Trace, Parent: e.Parent, Asked: e.Asked, At: e.At}, true
	case process.TasksConfirmed:
		return process.ConfirmTasks(e), true
	case process.TasksReused:
		return process.ReuseTasks(e), true
	case process.TasksFailed:
		return process.FailTasks{
			Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks,
			Element: e.Element, Error: e.Error, Verdict: e.Verdict, Worker: e.Worker, At: e.At,
		}, true
	case process.TasksLost:
		return process.LoseTasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, At: e.At}, true
	case process.TaskTimedOut:
		return process.TryTimeoutTask{
			Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Index: e.Index, Elapsed: e.Elapsed, Worker: e.Worker, At: e.At,
		}, true
	case process.TasksScheduled:
		return process.FireTimer(e), e.Attempt > 1
	case process.ProcessDeadlineMissed:
		return process.FireDeadline{At: e.At}, true
	}
	return requestOf(s, e)
}

// requestOf is what a person asked for.
func requestOf(s process.State, e process.Event) (c process.Command, ok bool) {
	switch e := e.(type) {
	case process.ProcessCancelled:
		return process.CancelProcess(e), true
	case process.ProcessPaused:
		return process.PauseProcess(e), true
	case process.ProcessResumed:
		return process.ResumeProcess(e), true
	case process.ProcessRetried:
		return retryOf(s, e), true
	case process.ProcessRestarted:
		return process.RestartFrom{Address: e.From, Asked: e.Asked, At: e.At}, true
	case process.ProcessRevised:
		return process.ReviseProcess{Definition: e.Definition, Asked: e.Asked, At: e.At}, true
	}
	return nil, false
}

// retryOf finds the retry that a person asked for. The event lists what came of
// it; the widest wish that comes to the same was probably the one.
func retryOf(s process.State, e process.ProcessRetried) process.RetryTasks {
	wish := process.RetryTasks{Asked: e.Asked, At: e.At}
	grants := func(address string, tasks task.Ranges) bool {
		wish.Address, wish.Tasks = address, tasks
		decided, err := process.Decide(s, wish)
		return err == nil && len(decided) > 0 && alike(decided[0], e)
	}
	if s.Definition == nil || grants("", nil) {
		return wish
	}
	for _, step := range s.Definition.Steps {
		for i, c := range step.Address + "/" {
			if c == '/' && grants(step.Address[:i], nil) {
				return wish
			}
		}
	}
	for _, r := range e.Tasks {
		if !isMerge(r.Address) && grants(r.Address, r.Tasks) {
			return wish
		}
	}
	return process.RetryTasks{Asked: e.Asked, At: e.At}
}

// wait is how long a retry was to wait.
func wait(e process.TasksRetryPlanned) task.Duration { return task.Duration(e.Due.Sub(e.At)) }
