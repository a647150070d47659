package orchestrator

import (
	"context"
	"log/slog"

	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// inLog names a process by the keys that all logs of deed have for it.
func (o *Owner) inLog(id string, more ...any) []any {
	about := []any{"process", id}
	if s := o.processes[id]; s != nil {
		if trace := tracing.ID(s.Trace); trace != "" {
			about = append(about, "trace_id", trace)
		}
	}
	return append(about, more...)
}

// tasksInLog names tasks by the keys that all logs have for those.
func tasksInLog(address string, generation, attempt int, tasks task.Ranges, more ...any) []any {
	about := []any{"address", address}
	if tasks.Len() == 1 {
		about = append(about, "index", tasks[0].First)
	} else {
		about = append(about, "tasks", tasks.String())
	}
	return append(append(about, "attempt", attempt, "generation", generation), more...)
}

// tell tells of beginnings, ends and trouble, to who wants to know that much. The
// history has all of it.
func (o *Owner) tell(id string, happened []process.Event) {
	if len(happened) == 0 || !o.Log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	for _, e := range happened {
		if what, about := toTell(e); what != "" {
			o.Log.Info("orchestrator: "+what, o.inLog(id, about...)...)
		}
	}
}

// toTell is how an event is told in a log; "" for those that are not.
func toTell(e process.Event) (what string, about []any) {
	switch e := e.(type) {
	case process.ProcessStarted:
		return "a process started", []any{"definition", e.Definition.Name, "by", e.By}
	case process.ProcessCompleted:
		return "a process completed", nil
	case process.ProcessFailed:
		about = []any{"error", e.Reason}
		if e.Address != "" {
			about = append(about, "address", e.Address)
		}
		if e.Index >= 0 {
			about = append(about, "index", e.Index, "attempt", e.Attempt)
		}
		return "a process failed", about
	case process.TasksFailed:
		return "tasks failed", tasksInLog(e.Address, e.Generation, e.Attempt, e.Tasks, "worker", e.Worker, "verdict", string(e.Verdict), "error", e.Error)
	case process.TasksRetryPlanned:
		return "tasks will be tried again", tasksInLog(e.Address, e.Generation, e.Attempt, e.Tasks, "due", e.Due)
	case process.TasksLost:
		return "tasks were lost with their worker", tasksInLog(e.Address, e.Generation, e.Attempt, e.Tasks)
	case process.TaskTimedOut:
		return "a task ran for too long", tasksInLog(e.Address, e.Generation, e.Attempt, task.Span(e.Index, 1), "worker", e.Worker, "elapsed", e.Elapsed.String())
	case process.TasksSkipped:
		return "tasks are skipped", tasksInLog(e.Address, e.Generation, e.Attempt, e.Tasks, "reason", e.Reason)
	case process.StepStarted, process.StepCompleted, process.TasksScheduled, process.TasksConfirmed:
		return "", nil
	}
	if asked, byPerson := process.AskedIn(e); byPerson {
		return e.String(), []any{"by", asked.By}
	}
	return e.String(), nil
}
