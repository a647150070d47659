package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

// heartbeatEvery is how often a worker says what it holds.
const heartbeatEvery = time.Second

// heartbeat says what the worker holds. leaving is the last one.
func (w *Worker) heartbeat(ctx context.Context, leaving bool) error {
	now := w.opt.Now()
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
