package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/task"
)

// setting is what the tasks of an execution have in common.
type setting struct {
	work     *task.Work // without Tasks
	each     *task.Input
	blobs    *blob.Store
	lists    *manifests
	log      *slog.Logger
	nonce    func() string
	tools    *tools
	metrics  *metrics.Worker
	now      func() time.Time
	logEvery time.Duration // 0: no log is stored before its task ends, by no other goroutine
	chatty   bool          // the end of every task is told
	elements elements
}

func (w *Worker) setting(work *task.Work) *setting {
	s := &setting{
		work: work, each: each(work), blobs: w.opt.Blobs, lists: w.lists, log: w.opt.Log, nonce: w.opt.Nonce,
		tools: w.tools, metrics: w.opt.Metrics, now: w.opt.Now, logEvery: logEvery, chatty: w.opt.Log.Enabled(context.Background(), slog.LevelDebug),
	}
	if w.steps.stepped {
		s.logEvery = 0
	}
	return s
}
