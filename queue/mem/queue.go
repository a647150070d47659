// Package mem keeps queues and signals in memory, for tests and for runs whose
// work may vanish with the process.
//
// A queue has no goroutine and no clock of its own: leases are judged by
// Options.Now at each call. So one goroutine with its own clock can drive it,
// and see the same order every time: messages leave in the order in which they
// came, and those whose lease ran out leave before new ones, the one that ran
// out first at the head. Receive with wait 0 never blocks.
package mem

import (
	"container/heap"
	"context"
	"fmt"
	"time"

	"github.com/deedrun/deed/queue"
)

// Queue is a queue.Lanes in memory, of which Receive takes from one lane.
// Competing consumers share it.
type Queue struct {
	*store
	lane string // "": queue.DefaultLane
}

var _ queue.Lanes = (*Queue)(nil)

// NewQueue is an empty queue. Who gives lanes no thought has one: the default.
func NewQueue(o Options) *Queue { return &Queue{store: newStore(o)} }

// Lane is the same queue, with a Receive that takes from another lane.
func (q *Queue) Lane(_ context.Context, name string) (queue.Queue, error) {
	if err := queue.CheckLane(name); err != nil {
		return nil, fmt.Errorf("open lane: %w", err)
	}
	return &Queue{store: q.store, lane: name}, nil
}

// Send stores the messages, each in its lane; it never waits.
func (q *Queue) Send(ctx context.Context, messages ...queue.Message) error {
	return q.send(ctx, messages, func(m queue.Message) *box { return q.boxOf(m.Lane) })
}

// boxOf is that of a lane, which it makes.
func (s *store) boxOf(lane string) *box {
	lane = laneOf(lane)
	for _, b := range s.boxes {
		if b.lane == lane {
			return b
		}
	}
	b := &box{lane: lane}
	s.boxes = append(s.boxes, b)
	return b
}

// laneOf is a lane as it is kept here: "" is the default one.
func laneOf(lane string) string {
	if lane == queue.DefaultLane {
		return ""
	}
	return lane
}

// Receive takes at most limit messages on lease, waiting up to wait for the
// first. The wait is real time, whatever Options.Now says.
func (q *Queue) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Delivery, error) {
	return q.receive(ctx, limit, wait, func(time.Time) ([]*box, time.Time, error) {
		return []*box{q.boxOf(q.lane)}, time.Time{}, nil
	})
}

// Ack removes deliveries for good, also when somebody else holds them by now.
func (q *Queue) Ack(ctx context.Context, deliveries ...queue.Delivery) error {
	return q.each(ctx, "ack", deliveries, func(it *item, _ queue.Delivery) { q.remove(it) })
}

// Extend starts the lease of each delivery anew. A delivery that was handed to
// somebody else since is left alone.
func (q *Queue) Extend(ctx context.Context, deliveries ...queue.Delivery) error {
	return q.each(ctx, "extend", deliveries, q.renew())
}

// renew gives a whole lease to deliveries that are still whom they were handed to.
func (s *store) renew() func(*item, queue.Delivery) {
	now := s.now()
	return func(it *item, d queue.Delivery) {
		if it.count == d.Count {
			it.expires = now.Add(s.lease)
			heap.Fix(&it.box.leased, it.at)
		}
	}
}
