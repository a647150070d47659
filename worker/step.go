package worker

import (
	"context"
	"errors"
	"time"
)

// steps is the state of a worker that is stepped.
type steps struct {
	stepped bool
	ears    *ears
	beat    time.Time // the last heartbeat
	leased  time.Time // the last look at the leases
	left    bool
}

// Step does one thing that is due at time now, from the goroutine of the
// caller, and says when there may be something again: a heartbeat, an extension
// of leases, an acknowledgement, a report, the execution of a task, or of a run of
// them (whose handler has a goroutine of its own, which Step awaits), or a look into
// the queue. It shares all of that with Run, but never prefetches. now must not go
// back. An error is of a backend; the next Step tries again.
//
// A worker that is dropped between two Steps looks to the others like one that
// crashed there. After Drain, or Close, Steps wind it up; then next is zero.
func (w *Worker) Step(ctx context.Context, now time.Time) (next time.Time, err error) {
	if w.steps.left {
		return time.Time{}, nil
	}
	w.opt.Now = func() time.Time { return now }
	if !w.steps.stepped {
		if w.began.Swap(true) {
			return time.Time{}, errors.New("step worker: it ran before; create another")
		}
		w.steps.stepped = true
		w.steps.leased = now
		if w.steps.ears, err = w.listen(); err != nil {
			return now, err
		}
	}
	if err := w.hear(ctx); err != nil {
		return now, err
	}
	did, err := w.stepOne(ctx, now)
	switch {
	case err != nil || did:
		return now, err
	case w.draining:
		return time.Time{}, w.stepOut()
	}
	next = now.Add(receiveWait)
	for _, at := range []time.Time{w.steps.beat.Add(heartbeatEvery), w.steps.leased.Add(w.leaseTick())} {
		if at.Before(next) {
			next = at
		}
	}
	return next, nil
}

// stepOne does the first thing that is due.
func (w *Worker) stepOne(ctx context.Context, now time.Time) (did bool, err error) {
	if ended(w.leave) && !w.draining {
		w.refuse()
		w.handBack()
		return true, nil
	}
	if w.steps.beat.IsZero() || now.Sub(w.steps.beat) >= heartbeatEvery {
		w.steps.beat = now
		return true, w.heartbeat(ctx, false)
	}
	if now.Sub(w.steps.leased) >= w.leaseTick() {
		w.steps.leased = now
		return true, w.extend(ctx)
	}
	if len(w.out.acks) > 0 {
		return true, w.acknowledge(ctx)
	}
	if sent, _, err := w.report(ctx, w.draining); sent > 0 || err != nil {
		return true, err
	}
	w.mu.Lock()
	e := w.next(ctx)
	room := w.room()
	w.mu.Unlock()
	if e != nil {
		w.perform(e)
		return true, nil
	}
	if room == 0 {
		return false, nil
	}
	received, err := w.receive(ctx, room, 0)
	return received > 0, err
}

// stepOut is the last Step.
func (w *Worker) stepOut() error {
	w.steps.left = true
	w.steps.ears.stop()
	w.tools.close()
	return w.depart()
}
