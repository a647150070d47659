package blob

import (
	"container/heap"
	"iter"
)

// merge hands the entries of ordered streams to add in one order.
func merge(streams []iter.Seq2[Entry, error], add func(Entry) error) error {
	if len(streams) == 1 {
		for e, err := range streams[0] {
			if err == nil {
				err = add(e)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	heads := &headHeap{}
	for _, stream := range streams {
		next, stop := iter.Pull2(stream)
		defer stop()
		e, err, ok := next()
		if err != nil {
			return err
		}
		if ok {
			*heads = append(*heads, head{e, next})
		}
	}
	heap.Init(heads)
	for heads.Len() > 0 {
		first := &(*heads)[0]
		if err := add(first.entry); err != nil {
			return err
		}
		e, err, ok := first.next()
		switch {
		case err != nil:
			return err
		case ok:
			first.entry = e
			heap.Fix(heads, 0)
		default:
			heap.Pop(heads)
		}
	}
	return nil
}

// head is the next entry of a stream.
type head struct {
	entry Entry
	next  func() (Entry, error, bool)
}

type headHeap []head

func (h headHeap) Len() int           { return len(h) }
func (h headHeap) Less(i, j int) bool { return h[i].entry.compare(h[j].entry) < 0 }
func (h headHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *headHeap) Push(x any)        { *h = append(*h, x.(head)) }

func (h *headHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
