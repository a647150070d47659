package mem

import (
	"container/heap"
	"time"
)

// item is one stored message and, while somebody holds it, its lease.
type item struct {
	box     *box
	lane    string // of the message; "": the default
	number  uint64 // order of sending
	sent    time.Time
	key     string
	body    []byte
	trace   string
	count   int    // deliveries so far
	turn    uint64 // order of delivery; breaks ties between leases that end together
	expires time.Time
	at      int // place in the heap of leases; notLeased, or gone for good
}

const (
	notLeased = -1
	gone      = -2
)

// before says whose lease ends first.
func (it *item) before(other *item) bool {
	if c := it.expires.Compare(other.expires); c != 0 {
		return c < 0
	}
	return it.turn < other.turn
}

// leases is a heap of the leased items: whose lease ends first is on top.
type leases []*item

func (l leases) Len() int { return len(l) }

func (l leases) Less(i, j int) bool { return l[i].before(l[j]) }

func (l leases) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].at, l[j].at = i, j
}

// Push and Pop are for container/heap.
func (l *leases) Push(x any) {
	it := x.(*item)
	it.at = len(*l)
	*l = append(*l, it)
}

func (l *leases) Pop() any {
	last := len(*l) - 1
	it := (*l)[last]
	(*l)[last] = nil
	*l = (*l)[:last]
	it.at = notLeased
	return it
}

// removeKey drops every lease on a message of the key.
func (l *leases) removeKey(key string) {
	kept := (*l)[:0]
	for _, it := range *l {
		if it.key == key {
			it.at = gone
			continue
		}
		it.at = len(kept)
		kept = append(kept, it)
	}
	clear((*l)[len(kept):])
	*l = kept
	heap.Init(l)
}
