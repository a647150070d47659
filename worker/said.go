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
	level, what := slog.LevelDebug, "worker: a task is done"
	if r.Outcome != task.Done {
		level, what = slog.LevelInfo, "worker: a task "+string(r.Outcome)
	}
	if !w.opt.Log.Enabled(context.Background(), level) {
		return
	}
	about := t.inLog("elapsed", r.Elapsed.String())
	if f := r.Failure; f != nil {
		about = append(about, "verdict", string(f.Verdict), "error", f.Error)
	}
	w.opt.Log.Log(context.Background(), level, what, about...)
}
