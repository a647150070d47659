package whatif

import (
	"container/heap"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
)

// item is what happens in the other world at a time of its own: a planned
// retry, or a result that had to wait for its attempt. Exactly one is set.
type item struct {
	at     time.Time
	order  int
	timer  *process.SetTimer
	result *result
}

// agenda lists what is to come, by time, and what comes together in the order
// in which it was put there.
type agenda struct {
	heap  items
	count int
}

func (a *agenda) put(i item) {
	a.count++
	i.order = a.count
	heap.Push(&a.heap, i)
}

// first is when the next item comes.
func (a *agenda) first() (time.Time, bool) {
	if len(a.heap) == 0 {
		return time.Time{}, false
	}
	return a.heap[0].at, true
}

func (a *agenda) take() item { return heap.Pop(&a.heap).(item) }

type items []item

func (h items) Len() int { return len(h) }
func (h items) Less(i, j int) bool {
	return h[i].at.Before(h[j].at) || h[i].at.Equal(h[j].at) && h[i].order < h[j].order
}
func (h items) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *items) Push(x any)   { *h = append(*h, x.(item)) }
func (h *items) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
