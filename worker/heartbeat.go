package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// heartbeatEvery is how often a worker says what it holds.
const heartbeatEvery = time.Second

// ears listens to the signals that are for workers.
type ears struct {
	cancels   queue.Listener
	rollcalls queue.Listener
	drains    queue.Listener
}

func (w *Worker) listen() (*ears, error) {
	cancels, err := w.opt.Signals.Subscribe(task.TopicCancel)
	if err != nil {
		return nil, fmt.Errorf("listen to %q: %w", task.TopicCancel, err)
	}
	rollcalls, err := w.opt.Signals.Subscribe(task.TopicRollCall)
	if err != nil {
		cancels.Stop()
		return nil, fmt.Errorf("listen to %q: %w", task.TopicRollCall, err)
	}
	drains, err := w.opt.Signals.Subscribe(task.TopicDrain)
	if err != nil {
		cancels.Stop()
		rollcalls.Stop()
		return nil, fmt.Errorf("listen to %q: %w", task.TopicDrain, err)
	}
	return &ears{cancels, rollcalls, drains}, nil
}

func (e *ears) stop() {
	e.cancels.Stop()
	e.rollcalls.Stop()
	e.drains.Stop()
}

// heartbeat says what the worker holds. leaving is the last one.
func (w *Worker) heartbeat(ctx context.Context, now time.Time, leaving bool) error {
	beat := task.Heartbeat{Worker: w.opt.Name, Version: w.opt.Version, Now: now, Slots: w.opt.Slots, Leaving: leaving}
	if !leaving {
		beat.Pool, beat.AnyPool, beat.Offer = w.opt.Pool, w.opt.AnyPool, w.opt.Offer
		beat.Holding, beat.Handlers = w.holds(now), w.opt.Registry.Names()
		beat.Versions = w.opt.Registry.versions()
		w.mu.Lock()
		beat.Used, beat.Draining = w.used(w.starts), w.draining
		w.mu.Unlock()
	}
	body, err := json.Marshal(beat)
	if err != nil {
		return fmt.Errorf("encode the heartbeat: %w", err)
	}
	if err := w.opt.Signals.Publish(ctx, task.TopicHeartbeat, body); err != nil {
		return fmt.Errorf("publish the heartbeat: %w", err)
	}
	return nil
}

// holds lists what the worker holds; messages of the same attempt at a step
// are one entry, since what they say adds up.
func (w *Worker) holds(now time.Time) []task.Hold {
	type attempt struct {
		process, address    string
		generation, attempt int
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	places := map[attempt]int{}
	var holds []task.Hold
	var ranges [][]task.Range
	place := func(h *holding) int {
		at := attempt{h.work.Process, h.work.Address, h.work.Generation, h.work.Attempt}
		i, found := places[at]
		if !found {
			i = len(holds)
			places[at] = i
			holds = append(holds, task.Hold{Process: at.process, Address: at.address, Generation: at.generation, Attempt: at.attempt})
			ranges = append(ranges, nil)
		}
		return i
	}
	for h := range w.held {
		i := place(h)
		ranges[i] = append(ranges[i], h.tasks.Minus(h.reported.ranges)...)
	}
	for _, e := range w.executing {
		if h, r, ok := e.running(now); ok && !h.gone {
			i := place(h)
			holds[i].Running = append(holds[i].Running, r)
		}
	}
	for i := range holds {
		holds[i].Tasks = union(ranges[i])
		slices.SortFunc(holds[i].Running, func(a, b task.Running) int { return a.Index - b.Index })
	}
	holds = slices.DeleteFunc(holds, func(h task.Hold) bool { return len(h.Tasks) == 0 })
	slices.SortFunc(holds, func(a, b task.Hold) int {
		return cmp.Or(cmp.Compare(a.Process, b.Process), cmp.Compare(a.Address, b.Address),
			a.Generation-b.Generation, a.Attempt-b.Attempt)
	})
	return holds
}

// union is the tasks of ranges in any order.
func union(ranges []task.Range) task.Ranges {
	slices.SortFunc(ranges, func(a, b task.Range) int { return a.First - b.First })
	var tasks task.Ranges
	for _, r := range ranges {
		if n := len(tasks); n > 0 && r.First <= tasks[n-1].End() {
			tasks[n-1].Count = max(tasks[n-1].End(), r.End()) - tasks[n-1].First
		} else {
			tasks = append(tasks, r)
		}
	}
	return tasks
}

// cancelled gives up what the signal covers of what the worker holds, begun or
// not, and acknowledges it: nobody needs to do it.
func (w *Worker) cancelled(ctx context.Context, body []byte) error {
	var signal task.Cancel
	if err := json.Unmarshal(body, &signal); err != nil {
		return fmt.Errorf("decode a cancel signal: %w", err)
	}
	w.mu.Lock()
	var deliveries []queue.Delivery
	log := w.opt.Log.With("process", signal.Process)
	for h := range w.held {
		if h.work.Process == signal.Process && signal.Covers(h.work.Address, h.work.Generation) {
			w.forget(h, errCancelled)
			if id := tracing.ID(h.trace); id != "" && len(deliveries) == 0 {
				log = log.With("trace_id", id)
			}
			deliveries = append(deliveries, h.delivery)
		}
	}
	w.mu.Unlock()
	if len(deliveries) == 0 {
		return nil
	}
	log.Info("worker: tasks were cancelled", "messages", len(deliveries))
	if err := w.opt.Work.Ack(ctx, deliveries...); err != nil {
		return fmt.Errorf("acknowledge what was cancelled of process %q: %w", signal.Process, err)
	}
	return nil
}

// drained makes the worker leave if the signal names it.
func (w *Worker) drained(body []byte) error {
	var signal task.Drain
	if err := json.Unmarshal(body, &signal); err != nil {
		return fmt.Errorf("decode a drain signal: %w", err)
	}
	if signal.Worker == w.opt.Name {
		w.told.Store(true)
		w.Drain()
	}
	return nil
}
