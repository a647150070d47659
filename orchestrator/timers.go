package orchestrator

import (
	"container/heap"
	"context"
	"time"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
)

// timers is the heap of what is to happen later, by when it is due: planned
// retries, deadlines, messages to be sent again. What is lost of it with the
// owner is rebuilt by process.Resume, which wants everything sent again that no
// worker holds; it is never stored.
type timers struct {
	heap heapOf[*timer]
	of   map[string]map[*timer]struct{} // by process, so that what ends is not looked for among all
	made int
}

// timer is one of them; what is a process.SetTimer, a process.SetDeadline or a resend.
type timer struct {
	due   time.Time
	id    string
	what  any
	made  int // the how manyth it is: of those that are due at once the first comes first
	place int // in the heap
}

func (t *timer) stand(place int) { t.place = place }

func (t *timer) before(other *timer) bool {
	if order := t.due.Compare(other.due); order != 0 {
		return order < 0
	}
	return t.made < other.made
}

// resend is tasks that came back unexecuted.
type resend process.Enqueue

func (t *timers) set(due time.Time, id string, what any) {
	if planted.Is(planted.DroppedTimer) && len(t.heap) > 0 {
		return
	}
	if t.of == nil {
		t.of = map[string]map[*timer]struct{}{}
	}
	if t.of[id] == nil {
		t.of[id] = map[*timer]struct{}{}
	}
	t.made++
	x := &timer{due: due, id: id, what: what, made: t.made}
	t.of[id][x] = struct{}{}
	heap.Push(&t.heap, x)
}

// drop forgets the timers of a process that has ended.
func (t *timers) drop(id string) {
	for x := range t.of[id] {
		t.remove(x)
	}
}

// forget drops those that are about to be derived anew. That a task came back
// unexecuted is in no state: as far as that knows, it is out.
func (t *timers) forget(id string) {
	for x := range t.of[id] {
		if _, again := x.what.(resend); !again {
			t.remove(x)
		}
	}
}

// letGo drops those of the processes of shards.
func (t *timers) letGo(shards queue.Shards) {
	for id := range t.of {
		if shards.Holds(id) {
			t.drop(id)
		}
	}
}

func (t *timers) remove(x *timer) {
	heap.Remove(&t.heap, x.place)
	if delete(t.of[x.id], x); len(t.of[x.id]) == 0 {
		delete(t.of, x.id)
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
func (t *timers) due(now time.Time) []*timer {
	var all []*timer
	for len(t.heap) > 0 && !t.heap[0].due.After(now) && len(all) < inboxBatch {
		x := t.heap[0]
		t.remove(x)
		all = append(all, x)
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

func (o *Owner) fire(ctx context.Context, now time.Time, due []*timer) error {
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
