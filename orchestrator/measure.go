package orchestrator

import (
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
