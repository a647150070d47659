package worker

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
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

// Ready says why the worker does not take tasks; nil: it does, or would if it
// had a free slot.
func (w *Worker) Ready() error {
	switch {
	case !w.began.Load():
		return errors.New("the worker has not begun")
	case ended(w.leave):
		return errors.New("the worker leaves, and takes nothing more")
	case w.deaf.Load():
		return errors.New("the worker cannot receive tasks; it tries again")
	}
	return nil
}

// measure counts a task that was executed.
func (w *Worker) measure(t *Task, r task.Result) {
	if w.opt.Metrics == nil || r.Outcome == task.Reused { // that is a hit of the cache, and counted as one
		return
	}
	if dropped(t.ctx) { // nobody is told how it ended
		w.opt.Metrics.Executed(t.work.Run.Handler, metrics.Dropped, time.Duration(r.Elapsed))
		return
	}
	w.opt.Metrics.Executed(t.work.Run.Handler, string(r.Outcome), time.Duration(r.Elapsed))
	w.opt.Metrics.Written(written(r.Parts))
}

// measureDone counts a task of a run that is done.
func (w *Worker) measureDone(t *Task, parts []task.Produced, elapsed time.Duration) {
	if w.opt.Metrics == nil {
		return
	}
	if t.ctx.Err() != nil && dropped(t.ctx) {
		w.opt.Metrics.Executed(t.work.Run.Handler, metrics.Dropped, elapsed)
		return
	}
	w.opt.Metrics.Executed(t.work.Run.Handler, string(task.Done), elapsed)
	w.opt.Metrics.Written(written(parts))
}

func written(parts []task.Produced) (bytes int64) {
	for _, p := range parts {
		bytes += p.Size()
	}
	return bytes
}

// dropped reports whether a task was ended since it is nobody's any more: its
// process was cancelled, or its lease was lost.
func dropped(ctx context.Context) bool {
	cause := context.Cause(ctx)
	return errors.Is(cause, errCancelled) || errors.Is(cause, errLeaseLost)
}

// openPart opens a part for whoever executes the task.
func (t *Task) openPart(ctx context.Context, part task.Part) (io.ReadCloser, error) {
	r, err := t.blobs.OpenPart(ctx, part)
	if err != nil {
		t.noteDamage(err)
		return nil, err
	}
	c := &counted{ReadCloser: r, task: t, linked: part.Ref != nil && part.Ref.Elsewhere() && part.Ref.SHA256 != ""}
	if c.linked {
		t.unsure.Add(1)
	}
	return c, nil
}

// counted counts what is read, once it is closed: several read at a time.
type counted struct {
	io.ReadCloser

	task   *Task
	bytes  int64
	linked bool        // what it reads may change, which shows at its end
	closed atomic.Bool // what a read says then is about the caller
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.bytes += int64(n)
	if c.linked && err == io.EOF {
		c.linked = false
		c.task.unsure.Add(-1)
	}
	if !c.closed.Load() {
		c.task.noteDamage(err)
	}
	return n, err
}

func (c *counted) Close() error {
	c.closed.Store(true)
	c.task.metrics.Read(c.bytes)
	c.bytes = 0
	return c.ReadCloser.Close()
}
