package orchestrator

import (
	"time"

	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// measure counts what has happened to a process: the events between two states.
func (o *Owner) measure(before process.Status, after *process.State, happened []process.Event) {
	if o.Metrics == nil {
		return
	}
	for _, e := range happened {
		switch e := e.(type) {
		case process.TasksScheduled:
			o.Metrics.Tasks(metrics.TasksScheduled, e.Tasks.Len())
		case process.TasksConfirmed:
			o.Metrics.Tasks(metrics.TasksConfirmed, e.Tasks.Len())
		case process.TasksReused:
			o.Metrics.Tasks(metrics.TasksReused, e.Tasks.Len())
		case process.TasksFailed:
			o.Metrics.Tasks(failedBy(e.Verdict), e.Tasks.Len())
		case process.TasksLost:
			o.Metrics.Tasks(metrics.TasksLost, e.Tasks.Len())
		case process.TaskTimedOut:
			o.Metrics.Tasks(metrics.TasksTimedOut, 1)
		case process.TasksSkipped:
			o.Metrics.Tasks(metrics.TasksSkipped, e.Tasks.Len())
		case process.StepCompleted:
			o.Metrics.StepCompleted(after.StepTook(e.Address))
		}
		if status, at := statusBy(before, e); status != "" && status != before {
			o.Metrics.Became(string(status), at.Sub(after.SetOffAt))
			before = status
		}
	}
}

// failedBy is what became of tasks that a worker reports as failed. Mostly it is
// the worker that ends what runs for too long, and only for one that does not the
// timeout manager.
func failedBy(verdict task.Verdict) metrics.TaskEvent {
	if verdict == task.TimedOut {
		return metrics.TasksTimedOut
	}
	return metrics.TasksFailed
}

// statusBy is the status that an event gives a process, and when; "": none.
func statusBy(before process.Status, e process.Event) (process.Status, time.Time) {
	switch e := e.(type) {
	case process.ProcessStarted:
		return process.Running, e.At
	case process.ProcessResumed:
		return process.Running, e.At
	case process.ProcessRetried:
		return goingAgain(before), e.At
	case process.ProcessRestarted:
		return goingAgain(before), e.At
	case process.ProcessPaused:
		return process.Paused, e.At
	case process.ProcessCompleted:
		return process.Completed, e.At
	case process.ProcessFailed:
		return process.Failed, e.At
	case process.ProcessCancelled:
		return process.Cancelled, e.At
	}
	return "", time.Time{}
}

// goingAgain is the status of what is made to go again: one that is paused stays so.
func goingAgain(before process.Status) process.Status {
	if before == process.Paused {
		return before
	}
	return process.Running
}
