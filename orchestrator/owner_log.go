package orchestrator

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// logTo is where something logs whose Log may be nil.
func logTo(log *slog.Logger) *slog.Logger { return cmp.Or(log, slog.Default()) }

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

// logHappened tells of beginnings, ends and trouble, to who wants to know that
// much. The history has all of it.
func (o *Owner) logHappened(id string, happened []process.Event) {
	if len(happened) == 0 || !o.Log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	log := o.Log.With(o.inLog(id)...)
	for _, e := range happened {
		if !logTrouble(log, e) {
			logProcess(log, e)
		}
	}
}

// logProcess tells what becomes of a process.
func logProcess(log *slog.Logger, e process.Event) {
	switch e := e.(type) {
	case process.ProcessStarted:
		log.Info("orchestrator: a process started", "definition", e.Definition.Name, "by", e.By)
	case process.ProcessCompleted:
		log.Info("orchestrator: a process completed")
	case process.ProcessFailed:
		if e.Index >= 0 {
			log = log.With("address", e.Address, "index", e.Index, "attempt", e.Attempt)
		}
		log.Info("orchestrator: a process failed", "error", e.Reason)
	case process.ProcessDeadlineMissed:
		log.Info("orchestrator: a process took longer than it may", "deadline", e.Deadline.String())
	default:
		if asked, is := process.AskedIn(e); is {
			log.Info("orchestrator: a person's command was granted", "by", asked.By, "what", e.String())
		}
	}
}

// logTrouble tells of tasks that are not simply executed; false: it is not about such.
func logTrouble(log *slog.Logger, e process.Event) bool {
	switch e := e.(type) {
	case process.TasksFailed:
		log.Info("orchestrator: tasks failed", tasksInLog(e.Address, e.Generation, e.Attempt, e.Tasks, "worker", e.Worker, "verdict", string(e.Verdict), "error", e.Error)...)
	case process.TasksRetryPlanned:
		log.Info("orchestrator: tasks will be tried again", tasksInLog(e.Address, e.Generation, e.Attempt, e.Tasks, "due", e.Due)...)
	case process.TasksLost:
		log.Info("orchestrator: tasks were lost with their worker", tasksInLog(e.Address, e.Generation, e.Attempt, e.Tasks)...)
	case process.TaskTimedOut:
		log.Info("orchestrator: a task ran for too long",
			tasksInLog(e.Address, e.Generation, e.Attempt, task.Span(e.Index, 1), "worker", e.Worker, "elapsed", e.Elapsed.String())...)
	case process.TasksSkipped:
		log.Info("orchestrator: tasks are skipped", tasksInLog(e.Address, e.Generation, e.Attempt, e.Tasks, "reason", e.Reason)...)
	default:
		return false
	}
	return true
}
