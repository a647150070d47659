package worker

import "github.com/deedrun/deed/task"

// handBack reports what has not begun as returned.
func (w *Worker) handBack() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.waiting {
		h.waits = false
		w.returned(h, nil)
	}
	w.waiting, w.stuck = nil, nil
}

// handBackIdle returns what found no slot for a while, although the tasks before it
// were short when it was taken, and a message that found no room for what it needs:
// other workers may be free. Of a message that has begun it is the tasks that have not.
func (w *Worker) handBackIdle() {
	now := w.opt.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.waiting {
		switch {
		case h == w.stuck:
			if now.Sub(h.stuckSince) >= makeRoom {
				w.returned(h, w.crowded(h))
			}
		case now.Sub(h.since) < idleTime:
		case w.fits(h):
			w.returned(h, nil)
		default:
			w.returned(h, w.crowded(h))
		}
	}
}

// returned hands back what has not begun of a message. Without a why it is
// this worker that has no time for it.
func (w *Worker) returned(h *holding, why *task.Failure) {
	if left := w.withdraw(h); len(left) > 0 {
		w.conclude(h, left, task.Returned, why)
	}
}

// withdraw takes back the tasks of a message that have not begun.
func (w *Worker) withdraw(h *holding) task.Ranges {
	left := h.todo.left()
	h.todo = cursor{}
	w.unstarted -= left.Len()
	return left
}

// forget lets go of a message whose tasks no longer count: what runs of it is
// cancelled and not reported.
func (w *Worker) forget(h *holding, cause error) {
	h.gone = true
	delete(w.held, h)
	w.withdraw(h)
	for _, e := range w.executing {
		w.busy -= e.forget(h, cause)
	}
	w.roomy.Signal()
}

// conclude reports tasks of a message that are not executed, and why.
func (w *Worker) conclude(h *holding, tasks task.Ranges, outcome task.Outcome, why *task.Failure) {
	w.opt.Metrics.NotExecuted(string(outcome), tasks.Len())
	r := result{trace: h.trace, Result: task.Result{
		Address: h.work.Address, Generation: h.work.Generation, Attempt: h.work.Attempt,
		Tasks: tasks, Outcome: outcome, Failure: why,
	}}
	for _, some := range tasks {
		r.shares = append(r.shares, share{h, some})
		h.reported.add(some)
	}
	r.bytes = weight(r.Result)
	w.gather(r)
}
