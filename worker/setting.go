package worker

import (
	"context"
	"log/slog"
	"sync"
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

// elements is the elements of a list that an execution looked at last, with those
// beside them: its tasks read one after the other.
type elements struct {
	mu    sync.Mutex
	input *task.Input
	first int
	list  []blob.Entry
}

// element is part index of a list that lies in a manifest. It is not to be changed.
func (s *setting) element(ctx context.Context, in *task.Input, index int) (*task.Part, error) {
	known := &s.elements
	known.mu.Lock()
	if i := index - known.first; known.input == in && i >= 0 && i < len(known.list) {
		defer known.mu.Unlock()
		return &known.list[i].Part, nil
	}
	known.mu.Unlock()
	m, err := s.lists.open(ctx, *in.Manifest)
	if err != nil {
		return nil, err
	}
	first, list, err := m.Around(ctx, index)
	if err != nil {
		return nil, err
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	known.input, known.first, known.list = in, first, list
	return &list[index-first].Part, nil
}
