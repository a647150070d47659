package orchestrator

import (
	"container/heap"
	"context"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
)

// timers is the heap of planned retries, by when they are due. It is rebuilt
// by process.Resume and never stored.
type timers struct{ heap timerHeap }

type timer struct {
	id  string
	set process.SetTimer
}

func (t *timers) set(id string, e process.SetTimer) {
	heap.Push(&t.heap, timer{id, e})
}

// drop forgets the timers of a process that has ended.
func (t *timers) drop(id string) {
	n := len(t.heap)
	t.heap = slices.DeleteFunc(t.heap, func(x timer) bool { return x.id == id })
	if len(t.heap) != n {
		heap.Init(&t.heap)
	}
}

func (t *timers) next() (time.Time, bool) {
	if len(t.heap) == 0 {
		return time.Time{}, false
	}
	return t.heap[0].set.Due, true
}

// due takes out the first timer whose time has come.
func (t *timers) due(now time.Time) (timer, bool) {
	if len(t.heap) == 0 || t.heap[0].set.Due.After(now) {
		return timer{}, false
	}
	return heap.Pop(&t.heap).(timer), true
}

// fireTimers hands due timers to the core. One that fires twice, or for a task
// that is done, changes nothing.
func (o *Owner) fireTimers(ctx context.Context, now time.Time) error {
	for {
		t, ok := o.timers.due(now)
		if !ok {
			return nil
		}
		c := process.FireTimer{
			Address: t.set.Address, Generation: t.set.Generation, Attempt: t.set.Attempt, Tasks: t.set.Tasks, At: now,
		}
		if err := o.pass(ctx, t.id, []*request{{command: c}}); err != nil {
			o.timers.set(t.id, t.set)
			return err
		}
	}
}

type timerHeap []timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].set.Due.Before(h[j].set.Due) }
func (h timerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *timerHeap) Push(x any)        { *h = append(*h, x.(timer)) }
func (h *timerHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
