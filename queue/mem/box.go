package mem

import (
	"bytes"
	"container/heap"
	"slices"
	"time"

	"github.com/deedrun/deed/queue"
)

// box is a lane or a shard: the messages that the same consumers take.
type box struct {
	lane   string // "": the default one, or a shard
	ready  []*item
	leased leases
}

// add puts a new message at the end.
func (b *box) add(it *item) {
	it.box = b
	b.ready = append(b.ready, it)
}

// expired reports whether a lease has run out.
func (b *box) expired(now time.Time) bool {
	return len(b.leased) > 0 && !now.Before(b.leased[0].expires)
}

// drop takes a message out, for good.
func (b *box) drop(it *item) {
	if it.at >= 0 {
		heap.Remove(&b.leased, it.at)
	} else {
		b.ready = slices.DeleteFunc(b.ready, func(other *item) bool { return other == it })
	}
	it.at = gone
}

// dropKey takes all messages of a key out.
func (b *box) dropKey(key string) {
	b.ready = slices.DeleteFunc(b.ready, func(it *item) bool { return it.key == key })
	b.leased.removeKey(key)
}

// next takes out of the boxes what is to be delivered next: of what ran out the
// lease that ended first, then what was sent first. Nil: there is nothing.
func next(boxes []*box, now time.Time) *item {
	var from *box
	for _, b := range boxes {
		if b.expired(now) && (from == nil || b.leased[0].before(from.leased[0])) {
			from = b
		}
	}
	if from != nil {
		return heap.Pop(&from.leased).(*item)
	}
	for _, b := range boxes {
		if len(b.ready) > 0 && (from == nil || b.ready[0].number < from.ready[0].number) {
			from = b
		}
	}
	if from == nil {
		return nil
	}
	it := from.ready[0]
	from.ready[0] = nil
	from.ready = from.ready[1:]
	return it
}

// leaseOut gives an item to a consumer.
func (s *store) leaseOut(it *item, now time.Time) queue.Delivery {
	s.turn++
	it.count++
	it.turn = s.turn
	it.expires = now.Add(s.lease)
	heap.Push(&it.box.leased, it)
	return queue.Delivery{
		Message: queue.Message{Lane: it.lane, Key: it.key, Body: bytes.Clone(it.body), Trace: it.trace},
		Count:   it.count,
		Sent:    it.sent,
		Token:   it,
	}
}
