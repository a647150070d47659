package worker

import (
	"context"
	"errors"
	"time"

	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/task"
)

// now is what the worker has at the moment.
func (w *Worker) now() metrics.WorkerNow {
	w.mu.Lock()
	defer w.mu.Unlock()
	return metrics.WorkerNow{Slots: w.opt.Slots, Executing: len(w.executing), Waiting: w.unstarted, Draining: w.draining}
}

// measure counts a task that was executed, and what it wrote.
func (w *Worker) measure(t *Task, outcome task.Outcome, parts []task.Produced, elapsed time.Duration) {
	switch {
	case w.opt.Metrics == nil, outcome == task.Reused: // that is a hit of the cache, and counted as one
		return
	case dropped(t.ctx): // nobody is told how it ended
		w.opt.Metrics.Executed(t.work.Run.Handler, metrics.Dropped, elapsed)
		return
	}
	w.opt.Metrics.Executed(t.work.Run.Handler, string(outcome), elapsed)
	var bytes int64
	for _, p := range parts {
		bytes += p.Size()
	}
	w.opt.Metrics.Written(bytes)
}

// dropped reports whether a task was ended since it is nobody's any more: its
// process was cancelled, or its lease was lost.
func dropped(ctx context.Context) bool {
	if ctx.Err() == nil { // as nearly always
		return false
	}
	cause := context.Cause(ctx)
	return errors.Is(cause, errCancelled) || errors.Is(cause, errLeaseLost)
}
