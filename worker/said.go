package worker

import (
	"context"
	"log/slog"

	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/task"
)

// inLog names tasks of a message by the keys that all logs of deed have for
// them. The worker is in each line of its log.
func inLog(work *task.Work, tasks task.Ranges, trace string) []any {
	about := []any{"process", work.Process, "address", work.Address}
	if tasks.Len() == 1 {
		about = append(about, "index", tasks[0].First)
	} else {
		about = append(about, "tasks", tasks.String())
	}
	about = append(about, "attempt", work.Attempt, "generation", work.Generation)
	if id := tracing.ID(trace); id != "" {
		about = append(about, "trace_id", id)
	}
	return about
}

// inLog names the task in a log.
func (t *Task) inLog(more ...any) []any {
	return append(inLog(t.work, task.Span(t.index, 1), tracing.From(t.ctx)), more...)
}

// sayEnded tells how a task ended, to who wants to know that much.
func (w *Worker) sayEnded(t *Task, r task.Result) {
	ctx, log := context.Background(), w.opt.Log
	switch f := r.Failure; {
	case !log.Enabled(ctx, slog.LevelInfo):
	case f != nil:
		log.Info("worker: a task failed", t.inLog("elapsed", r.Elapsed.String(), "verdict", string(f.Verdict), "error", f.Error)...)
	case !log.Enabled(ctx, slog.LevelDebug):
	case r.Outcome == task.Done:
		log.Debug("worker: a task is done", t.inLog("elapsed", r.Elapsed.String())...)
	case r.Outcome == task.Reused:
		log.Debug("worker: a task need not be executed: an equal one ran earlier", t.inLog("origin", r.Origins[0].Attempt.String())...)
	default:
		log.Debug("worker: a task is handed back", t.inLog("elapsed", r.Elapsed.String())...)
	}
}
