package worker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

// What tasks need is admitted exactly: together, those that are executed never
// need more than the worker offers. A slot each of them takes as well, whatever
// it needs; one that says nothing of its needs takes nothing else.
//
// When a slot is free and the next task does not fit beside what runs, it
// waits, and lets others pass: but never so that it is those who keep it out.
// One message at most waits so, for a while; what fits as little goes back at
// once, to whoever has room.

// makeRoom is how long a message waits for room before it is handed back.
const makeRoom = 10 * time.Second

// next begins the next task: it occupies a slot from here on, and what it
// needs. nil: there is none, or too many results wait to be reported.
func (w *Worker) next(ctx context.Context) *execution {
	if w.draining || w.results.full() {
		return nil
	}
	for i := 0; i < len(w.waiting); {
		h := w.waiting[i]
		switch {
		case len(h.todo.rest) == 0:
			w.drop(i)
		case w.fits(h):
			return w.begin(ctx, h)
		case w.stuck == nil || w.stuck == h:
			if w.stuck == nil {
				w.stuck, h.stuckAt, h.stuckSince = h, w.starts, w.opt.Now()
			}
			i++
		default:
			w.returned(h, w.crowded(h))
			w.drop(i)
		}
	}
	return nil
}

func (w *Worker) drop(i int) {
	if w.waiting[i] == w.stuck {
		w.stuck = nil
	}
	if i == 0 { // as nearly always, and there may be many
		w.waiting[0], w.waiting = nil, w.waiting[1:]
		return
	}
	w.waiting = slices.Delete(w.waiting, i, i+1)
}

// begin starts a task of a message that has one left.
func (w *Worker) begin(ctx context.Context, h *holding) *execution {
	index, _ := h.todo.next()
	if h == w.stuck {
		w.stuck = nil
	}
	e := &execution{holding: h, index: index, ordinal: h.begun, number: w.starts, began: w.opt.Now()}
	e.ctx, e.cancel = context.WithCancelCause(ctx)
	h.begun++
	w.starts++
	h.running = append(h.running, e)
	w.executing = append(w.executing, e)
	w.unstarted--
	return e
}

// fits reports whether there is room for a task of a message.
func (w *Worker) fits(h *holding) bool {
	needs := h.work.Needs
	return needs.IsZero() || needs.Fit(w.free()) && (w.stuck == nil || w.stuck == h || w.mayPass(needs))
}

// mayPass reports whether something may begin before the message that is
// stuck. It may if they do not need the same things; and if that one would not
// fit beside what ran before it came, even if nobody passed it.
func (w *Worker) mayPass(needs task.Resources) bool {
	stuck := w.stuck.work.Needs
	apart := (needs.CPU == 0 || stuck.CPU == 0) && (needs.Memory == 0 || stuck.Memory == 0) && (needs.GPU == 0 || stuck.GPU == 0)
	return apart || !stuck.Fit(w.opt.Offer.Minus(w.used(w.stuck.stuckAt)))
}

// used is what those executions need that began as the first n.
func (w *Worker) used(n uint64) task.Resources {
	var sum task.Resources
	for _, e := range w.executing {
		if e.number < n {
			sum = sum.Plus(e.work.Needs)
		}
	}
	return sum
}

// free is what nothing that is executed needs.
func (w *Worker) free() task.Resources { return w.opt.Offer.Minus(w.used(w.starts)) }

// crowded is why a task goes back that would fit if less were executed: what
// it needs, and what is free of that.
func (w *Worker) crowded(h *holding) *task.Failure {
	needs, free := h.work.Needs, w.free()
	if needs.CPU == 0 {
		free.CPU = 0
	}
	if needs.Memory == 0 {
		free.Memory = 0
	}
	if needs.GPU == 0 {
		free.GPU = 0
	}
	return &task.Failure{
		Error:   bounded(fmt.Sprintf("does not fit beside what runs here: needs %s; free %s", needs, free)),
		Verdict: task.Retry,
	}
}
