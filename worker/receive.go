package worker

import (
	"context"
	"encoding/json"
	"time"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// room is how many messages to ask for now. It is worth a round trip only if
// slots are about to run dry or a good part of the room is free.
func (w *Worker) room() int {
	if w.draining || w.results.full() {
		return 0
	}
	most := w.opt.Slots
	if !w.steps.stepped { // a stepped worker loses little when it is dropped
		most += w.pace.ahead(w.opt.Slots, w.longest())
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
func (w *Worker) longest() time.Duration {
	now := w.opt.Now()
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
