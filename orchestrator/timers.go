package orchestrator

import (
	"container/heap"
	"context"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/orchestrator/process"
)

// timers is the heap of what is to happen later, by when it is due: planned
// retries, deadlines, messages to be sent again. What is lost of it with the
// owner is rebuilt by process.Resume, which wants everything sent again that no
// worker holds; it is never stored.
type timers struct{ heap timerHeap }

// timer is one of them; what is a process.SetTimer, a process.SetDeadline or a resend.
type timer struct {
	due  time.Time
	id   string
	what any
}

// resend is tasks that came back unexecuted.
type resend process.Enqueue

func (t *timers) set(due time.Time, id string, what any) {
	if planted.Is(planted.DroppedTimer) && len(t.heap) > 0 {
		return
	}
	heap.Push(&t.heap, timer{due, id, what})
}

// drop forgets the timers of a process that has ended.
func (t *timers) drop(id string) {
	t.remove(func(x timer) bool { return x.id == id })
}

// forget drops those that are about to be derived anew. That a task came back
// unexecuted is in no state: as far as that knows, it is out.
func (t *timers) forget(id string) {
	t.remove(func(x timer) bool {
		_, again := x.what.(resend)
		return x.id == id && !again
	})
}

func (t *timers) remove(which func(timer) bool) {
	n := len(t.heap)
	t.heap = slices.DeleteFunc(t.heap, which)
	if len(t.heap) != n {
		heap.Init(&t.heap)
	}
}

func (t *timers) next() (time.Time, bool) {
	if len(t.heap) == 0 {
		return time.Time{}, false
	}
	return t.heap[0].due, true
}

// retries is when the next planned retry is due, by process.
func (t *timers) retries() map[string]time.Time {
	first := map[string]time.Time{}
	for _, x := range t.heap {
		if _, retry := x.what.(process.SetTimer); !retry {
			continue
		}
		if due, known := first[x.id]; !known || x.due.Before(due) {
			first[x.id] = x.due
		}
	}
	return first
}

// due takes out the first timers whose time has come, but not too many at once.
func (t *timers) due(now time.Time) []timer {
	var all []timer
	for len(t.heap) > 0 && !t.heap[0].due.After(now) && len(all) < inboxBatch {
		all = append(all, heap.Pop(&t.heap).(timer))
	}
	return all
}

// fireTimers hands due timers to the core. One that fires twice, or for a task
// that is done, changes nothing.
func (o *Owner) fireTimers(ctx context.Context, now time.Time) error {
	for due := o.timers.due(now); len(due) > 0; due = o.timers.due(now) {
		if err := o.fire(ctx, now, due); err != nil {
			for _, t := range due {
				o.timers.set(t.due, t.id, t.what)
			}
			return err
		}
	}
	return nil
}

func (o *Owner) fire(ctx context.Context, now time.Time, due []timer) error {
	var all batch
	for _, t := range due {
		switch what := t.what.(type) {
		case process.SetTimer:
			all.add(t.id, &request{command: process.FireTimer{
				Address: what.Address, Generation: what.Generation, Attempt: what.Attempt, Tasks: what.Tasks, At: now,
			}})
		case process.SetDeadline:
			all.add(t.id, &request{command: process.FireDeadline{At: now}})
		case resend:
			o.feeder.resend(t.id, process.Enqueue(what))
		}
	}
	return o.passAll(ctx, all)
}

type timerHeap []timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h timerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *timerHeap) Push(x any)        { *h = append(*h, x.(timer)) }
func (h *timerHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
