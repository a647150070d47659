package mem

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"time"

	"github.com/deedrun/deed/queue"
)

// Receive takes at most limit messages on lease, waiting up to wait for the
// first. The wait is real time, whatever Options.Now says.
func (q *Queue) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Delivery, error) {
	if limit < 1 {
		return nil, fmt.Errorf("receive from queue: max %d: ask for at least 1 message", limit)
	}
	over := wait <= 0
	var timeout <-chan time.Time
	if !over {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		timeout = timer.C
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("receive from queue: %w", err)
		}
		taken, arrived, expiry := q.take(limit)
		if len(taken) > 0 || over {
			return taken, nil
		}
		over = q.await(ctx, arrived, expiry, timeout)
	}
}

// take leases what is there. When that is nothing it says what to wait for: a
// channel that the next Send closes, and how long until a lease ends (0: none is held).
func (q *Queue) take(limit int) (taken []queue.Delivery, arrived <-chan struct{}, expiry time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	var items []*item
	for len(items) < limit && len(q.leased) > 0 && !now.Before(q.leased[0].expires) {
		items = append(items, heap.Pop(&q.leased).(*item))
	}
	fresh := min(limit-len(items), len(q.ready))
	items = append(items, q.ready[:fresh]...)
	clear(q.ready[:fresh])
	q.ready = q.ready[fresh:]

	for _, it := range items {
		q.turn++
		it.count++
		it.turn = q.turn
		it.expires = now.Add(q.lease)
		heap.Push(&q.leased, it)
		taken = append(taken, queue.Delivery{
			Message: queue.Message{Key: it.key, Body: bytes.Clone(it.body)},
			Count:   it.count,
			Token:   it,
		})
	}
	if len(taken) > 0 {
		return taken, nil, 0
	}
	if q.arrived == nil {
		q.arrived = make(chan struct{})
	}
	if len(q.leased) > 0 {
		expiry = q.leased[0].expires.Sub(now)
	}
	return nil, q.arrived, expiry
}

// await waits until there may be something to take, and says whether the time
// was over first.
func (q *Queue) await(ctx context.Context, arrived <-chan struct{}, expiry time.Duration, timeout <-chan time.Time) (over bool) {
	var expired <-chan time.Time
	if expiry > 0 {
		timer := time.NewTimer(expiry)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-arrived:
	case <-expired:
	case <-ctx.Done():
	case <-timeout:
		return true
	}
	return false
}
