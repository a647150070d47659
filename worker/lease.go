package worker

import (
	"context"
	"errors"
	"time"

	"github.com/deedrun/deed/queue"
)

// extend starts the leases anew that have not been for a while, all in one
// call. If that fails, one by one: a message whose lease the queue refuses, or
// cannot be asked about until it must have run out, is given up.
func (w *Worker) extend(ctx context.Context) error {
	now := w.opt.Now()
	due := w.leasesDue(now)
	if len(due) == 0 {
		return nil
	}
	deliveries := make([]queue.Delivery, len(due))
	for i, h := range due {
		deliveries[i] = h.delivery
	}
	err := w.opt.Work.Extend(ctx, deliveries...)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, h := range due {
			h.extended = now
		}
		return nil
	}
	for i, h := range due {
		var one error
		if len(due) == 1 || errors.Is(err, queue.ErrUnavailable) {
			one = err
		} else {
			one = w.opt.Work.Extend(ctx, deliveries[i])
		}
		w.extendedAlone(ctx, h, now, one)
	}
	return err
}

// leasesDue lists the messages held whose lease was not started lately.
func (w *Worker) leasesDue(now time.Time) []*holding {
	w.mu.Lock()
	defer w.mu.Unlock()
	var due []*holding
	for h := range w.held {
		if now.Sub(h.extended) >= w.opt.Work.Lease()/6 {
			due = append(due, h)
		}
	}
	return due
}

func (w *Worker) extendedAlone(ctx context.Context, h *holding, now time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		h.extended = now
		return
	case h.open == 0 || h.gone:
		return
	case errors.Is(err, queue.ErrUnavailable) || ctx.Err() != nil:
		if w.opt.Now().Sub(h.extended) < w.opt.Work.Lease() {
			return
		}
	}
	w.opt.Log.Warn("worker: the lease on a message is lost: its tasks are cancelled and not reported",
		append(inLog(h.work, h.tasks, h.trace), "error", err)...)
	w.forget(h, errLeaseLost)
}

// leaseTick is how often leases are looked after. With what extend leaves out,
// none is older than half its length.
func (w *Worker) leaseTick() time.Duration { return max(w.opt.Work.Lease()/3, time.Millisecond) }
