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

// next begins the next task, or run of them: it occupies a slot from here on, and
// what it needs. nil: there is none, or too many results wait to be reported.
func (w *Worker) next(ctx context.Context) *execution {
	if w.draining || w.results.full() {
		return nil
	}
	for i := 0; i < len(w.waiting); {
		h := w.waiting[i]
		switch {
		case h.todo.empty():
			w.drop(i)
		case w.fits(h):
			return w.begin(ctx, i)
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
	w.waiting[i].waits = false
	if w.waiting[i] == w.stuck {
		w.stuck = nil
	}
	if i == 0 { // as nearly always, and there may be many
		w.waiting[0], w.waiting = nil, w.waiting[1:]
		return
	}
	w.waiting = slices.Delete(w.waiting, i, i+1)
}

// begin starts a task of waiting message i, or a run that begins with it.
func (w *Worker) begin(ctx context.Context, i int) *execution {
	h := w.waiting[i]
	if h == w.stuck {
		w.stuck = nil
	}
	e := &execution{setting: w.setting(h.work), number: w.starts, began: w.opt.Now(), trace: h.trace}
	e.ctx, e.cancel = context.WithCancelCause(ctx)
	for most := w.runLength(h); ; h = w.waiting[i] {
		s := h.todo.take(most - e.tasks)
		e.tasks += s.Count
		e.todo = append(e.todo, piece{h, s})
		if h.todo.empty() {
			w.drop(i)
		}
		if e.tasks == most || i == len(w.waiting) || !w.waiting[i].follows(h) {
			break
		}
	}
	w.starts++
	w.executing = append(w.executing, e)
	w.unstarted -= e.tasks
	w.busy += e.tasks
	return e
}

// runLength is how many tasks a slot takes of a message that has some left, and
// of those like it: as many short ones as take runTime together; but no more than
// leave as much to each of the other slots, twice, and than may be reported.
func (w *Worker) runLength(h *holding) int {
	if !h.quick || h.trace != "" {
		return 1
	}
	share := w.unstarted / (2 * w.opt.Slots)
	reportable := unreportedResults - w.results.results - w.busy
	return max(1, min(h.pace.fill(runTime), share, reportable))
}

// follows reports whether tasks of a message may be executed in a run with those
// of the one before it.
func (h *holding) follows(before *holding) bool {
	return h.header == before.header && h.quick && h.trace == before.trace && !h.todo.empty()
}

// putBack takes tasks back that were to be executed in a run and have not begun:
// they are the next ones again.
func (w *Worker) putBack(undone []piece) {
	at := 0
	for _, p := range undone {
		h := p.holding
		switch {
		case h.gone:
		case w.draining:
			w.conclude(h, task.Ranges{p.Range}, task.Returned, nil)
		default:
			h.todo.putBack(p.stretch)
			w.unstarted += p.Count
			if !h.waits {
				h.waits = true
				w.waiting = slices.Insert(w.waiting, at, h)
				at++
			}
		}
	}
	if len(undone) > 0 {
		w.startable.Broadcast()
	}
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
