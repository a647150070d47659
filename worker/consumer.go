package worker

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// room is how many messages to ask for now. It is worth a round trip only if
// slots are about to run dry or a good part of the room is free.
func (w *Worker) room(now time.Time) int {
	if w.draining || w.results.full() {
		return 0
	}
	most := w.opt.Slots
	if !w.steps.stepped { // a stepped worker loses little when it is dropped
		most += w.pace.ahead(w.opt.Slots, w.longest(now))
	}
	waiting := w.unstarted
	if w.stuck != nil { // what waits for room, and not for a slot, holds up nobody
		waiting -= w.stuck.todo.len()
	}
	free := most - len(w.executing) - waiting
	if free <= 0 || waiting > 0 && free < most/4 {
		return 0
	}
	return w.pace.messages(free)
}

// longest is how long the oldest running task takes already.
func (w *Worker) longest(now time.Time) time.Duration {
	var longest time.Duration
	for _, e := range w.executing {
		longest = max(longest, now.Sub(e.began))
	}
	return longest
}

// receive takes messages that there is room for and accepts them.
func (w *Worker) receive(ctx context.Context, room int, wait time.Duration) (int, error) {
	deliveries, err := w.opt.Work.Receive(ctx, room, wait)
	if len(deliveries) > 0 {
		w.accept(ctx, deliveries)
	}
	return len(deliveries), err
}

// accept takes charge of messages. A redelivery is not executed: its former
// holder is presumed dead, perhaps because of this very task. Nor is one that is
// for another worker: one of another pool, say, or with another handler. One that
// makes no sense goes into quarantine; if that fails, or there is none, its lease
// runs out, and it comes again after that time and not before.
func (w *Worker) accept(ctx context.Context, deliveries []queue.Delivery) {
	now := w.opt.Now()
	held := make([]*holding, 0, len(deliveries))
	for _, d := range deliveries {
		header, tasks, err := w.headers.decode(d.Body)
		if err != nil {
			w.quarantine(ctx, d, err)
			continue
		}
		h := &holding{header: header, delivery: d, tasks: tasks, since: now, extended: now, open: tasks.Len()}
		w.traceReceived(h)
		held = append(held, h)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range held {
		w.held[h] = struct{}{}
		if h.delivery.Count > 1 {
			w.opt.Log.Warn("worker: a task was handed over again: it is reported as lost", inLog(h.work, h.tasks, h.trace)...)
			w.conclude(h, h.tasks, task.Lost, nil)
			continue
		}
		if w.draining {
			w.conclude(h, h.tasks, task.Returned, nil)
			continue
		}
		if unserved := w.refuses(h.work); unserved != nil {
			w.opt.Log.Debug("worker: tasks are for another worker: they are handed back",
				append(inLog(h.work, h.tasks, h.trace), "reason", unserved)...)
			w.conclude(h, h.tasks, task.Unserved, &task.Failure{Error: bounded(unserved.Error()), Verdict: task.Retry})
			continue
		}
		h.todo.rest, h.waits = h.tasks, true
		w.waiting = append(w.waiting, h)
		w.unstarted += h.open
		w.pace.carried(h.open)
	}
	w.startable.Broadcast()
}

func (w *Worker) quarantine(ctx context.Context, d queue.Delivery, reason error) {
	log := w.opt.Log.With("process", d.Key, "bytes", len(d.Body), "delivery", d.Count, "reason", reason)
	if w.opt.Quarantine == nil {
		log.Error("worker: a message makes no sense; it stays on the work queue, since the worker has no quarantine")
		return
	}
	body, err := json.Marshal(task.Quarantined{From: "work", Lane: d.Lane, Key: d.Key, Reason: reason.Error(), Body: d.Body})
	if err == nil {
		err = w.opt.Quarantine.Send(ctx, queue.Message{Key: queue.Undecodable, Body: body})
	}
	if err != nil {
		log.Error("worker: a message makes no sense, and putting it into quarantine failed; it comes again", "error", err)
		return
	}
	if err := w.opt.Work.Ack(ctx, d); err != nil {
		log.Warn("worker: a message was put into quarantine but not acknowledged; it will be there twice", "error", err)
		return
	}
	w.opt.Metrics.Quarantined()
	log.Error("worker: a message makes no sense; it was put into quarantine")
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

// perform executes what next began.
func (w *Worker) perform(e *execution) {
	if e.tasks == 1 {
		w.execute(e)
	} else {
		w.executeRun(e)
	}
	e.halt()
	e.cancel(nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.executing = slices.DeleteFunc(w.executing, func(other *execution) bool { return other == e })
	w.harvest(e)
	if !e.work.Needs.IsZero() && len(w.waiting) > 0 {
		w.startable.Broadcast() // there may be room for several
	}
	if w.room(w.opt.Now()) > 0 {
		w.roomy.Signal()
	}
}

// harvest takes what came of an execution so far, to be reported, and what will
// not begin of it, to be executed.
func (w *Worker) harvest(e *execution) {
	l, undone := e.take()
	w.busy -= l.tasks
	for _, p := range undone {
		w.busy -= p.Count
	}
	w.putBack(undone)
	if l.tasks == 0 {
		return
	}
	each := l.took / time.Duration(l.tasks)
	w.pace.took(each, l.tasks)
	l.results[0].shares[0].pace.took(each, l.tasks)
	for _, r := range l.results {
		w.gather(r)
	}
}

// idle reports whether nothing that is here can end soon.
func (w *Worker) idle() bool { return len(w.executing) == 0 && w.unstarted == 0 }

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

// withdraw takes back the tasks of a message that have not begun.
func (w *Worker) withdraw(h *holding) task.Ranges {
	left := h.todo.left()
	h.todo = cursor{}
	w.unstarted -= left.Len()
	return left
}
