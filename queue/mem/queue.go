// Package mem keeps queues and signals in memory, for tests and for runs whose
// work may vanish with the process.
//
// A Queue has no goroutine and no clock of its own: leases are judged by
// Options.Now at each call. So one goroutine with its own clock can drive it,
// and see the same order every time: messages leave in the order in which they
// came, and those whose lease ran out leave before new ones, the one that ran
// out first at the head. Receive with wait 0 never blocks.
package mem

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/deedrun/deed/queue"
)

// Options of a queue; the zero value is useful.
type Options struct {
	Lease   time.Duration    // 0: 10 s
	Now     func() time.Time // nil: time.Now
	MaxBody int              // bytes; a larger body is refused; 0: 8 MiB, as the embedded NATS server
}

// Queue is a queue.Queue in memory. Competing consumers share one.
type Queue struct {
	lease   time.Duration
	now     func() time.Time
	maxBody int

	mu      sync.Mutex
	ready   []*item
	leased  leases
	perKey  map[string]int
	turn    uint64
	sent    uint64        // messages so far
	arrived chan struct{} // closed by Send, for those that wait; nil: nobody waits
}

var _ queue.Queue = (*Queue)(nil)

// NewQueue is an empty queue.
func NewQueue(o Options) *Queue {
	if o.Lease <= 0 {
		o.Lease = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 8 << 20
	}
	return &Queue{lease: o.Lease, now: o.Now, maxBody: o.MaxBody, perKey: map[string]int{}}
}

// Lease is how long a delivery belongs to its consumer without Extend.
func (q *Queue) Lease() time.Duration { return q.lease }

// Send stores the messages; it never waits.
func (q *Queue) Send(ctx context.Context, messages ...queue.Message) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("send to queue: %w", err)
	}
	for i, m := range messages {
		if err := queue.CheckKey(m.Key); err != nil {
			return fmt.Errorf("send to queue: message %d of %d: %w", i+1, len(messages), err)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.wake()
	now := q.now()
	for i, m := range messages {
		if len(m.Body) > q.maxBody {
			return fmt.Errorf("send to queue: message %d of %d, key %q: %w: %d bytes, at most %d are accepted",
				i+1, len(messages), m.Key, queue.ErrTooLarge, len(m.Body), q.maxBody)
		}
		q.sent++
		q.ready = append(q.ready, &item{owner: q, number: q.sent, sent: now, key: m.Key, body: bytes.Clone(m.Body), at: notLeased})
		q.perKey[m.Key]++
	}
	return nil
}

func (q *Queue) wake() {
	if q.arrived != nil {
		close(q.arrived)
		q.arrived = nil
	}
}

// Ack removes deliveries for good, also when somebody else holds them by now.
func (q *Queue) Ack(ctx context.Context, deliveries ...queue.Delivery) error {
	return q.each(ctx, "ack", deliveries, func(it *item, _ queue.Delivery) {
		heap.Remove(&q.leased, it.at)
		it.at = gone
		q.forget(it.key, 1)
	})
}

// Extend starts the lease of each delivery anew. A delivery that was handed to
// somebody else since is left alone.
func (q *Queue) Extend(ctx context.Context, deliveries ...queue.Delivery) error {
	now := q.now()
	return q.each(ctx, "extend", deliveries, func(it *item, d queue.Delivery) {
		if it.count == d.Count {
			it.expires = now.Add(q.lease)
			heap.Fix(&q.leased, it.at)
		}
	})
}

// each does something to the items of deliveries that are still in the queue.
func (q *Queue) each(ctx context.Context, what string, deliveries []queue.Delivery, do func(*item, queue.Delivery)) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for _, d := range deliveries {
		if it, ok := d.Token.(*item); !ok || it.owner != q {
			return fmt.Errorf("%s message of key %q: it was not received from this queue", what, d.Key)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, d := range deliveries {
		if it := d.Token.(*item); it.at >= 0 {
			do(it, d)
		}
	}
	return nil
}

func (q *Queue) forget(key string, n int) {
	if q.perKey[key] -= n; q.perKey[key] <= 0 {
		delete(q.perKey, key)
	}
}

// Purge removes all messages of a key, leased ones included.
func (q *Queue) Purge(ctx context.Context, key string) error {
	if err := checkCall(ctx, "purge", key); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ready = slices.DeleteFunc(q.ready, func(it *item) bool { return it.key == key })
	q.leased.removeKey(key)
	delete(q.perKey, key)
	return nil
}

// Pending counts the messages of a key that are not acked.
func (q *Queue) Pending(ctx context.Context, key string) (int, error) {
	if err := checkCall(ctx, "count pending messages", key); err != nil {
		return 0, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.perKey[key], nil
}

func checkCall(ctx context.Context, what, key string) error {
	if err := queue.CheckKey(key); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
