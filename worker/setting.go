package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/deedrun/deed/task"
)

// setting is what the tasks of an execution have in common.
type setting struct {
	*tools

	work     *task.Work // without Tasks
	each     *task.Input
	now      func() time.Time
	logEvery time.Duration // 0: no log is stored before its task ends, by no other goroutine
	chatty   bool          // the end of every task is told
	elements elements
}

func (w *Worker) setting(work *task.Work) *setting {
	s := &setting{
		tools: w.tools, work: work, each: each(work),
		now: w.opt.Now, logEvery: logEvery, chatty: w.opt.Log.Enabled(context.Background(), slog.LevelDebug),
	}
	if w.steps.stepped {
		s.logEvery = 0
	}
	return s
}
