package mem

import (
	"context"
	"fmt"
	"time"

	"github.com/deedrun/deed/queue"
)

// source says which boxes a consumer may take from now, and when that may be
// more without anybody doing anything (zero: never). The store is locked.
type source func(now time.Time) (boxes []*box, more time.Time, err error)

func (s *store) receive(ctx context.Context, limit int, wait time.Duration, from source) ([]queue.Delivery, error) {
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
		taken, until, err := s.take(limit, from)
		if err != nil {
			return nil, fmt.Errorf("receive from queue: %w", err)
		}
		if len(taken) > 0 || over {
			return taken, nil
		}
		over = until.wait(ctx, timeout)
	}
}

// take leases what is there, or says what to wait for.
func (s *store) take(limit int, from source) (taken []queue.Delivery, until event, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	boxes, more, err := from(now)
	if err != nil {
		return nil, until, err
	}
	for len(taken) < limit {
		it := next(boxes, now)
		if it == nil {
			break
		}
		taken = append(taken, s.leaseOut(it, now))
	}
	if len(taken) > 0 {
		return taken, until, nil
	}
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	until.changed = s.changed
	for _, b := range boxes {
		if len(b.leased) > 0 && (more.IsZero() || b.leased[0].expires.Before(more)) {
			more = b.leased[0].expires
		}
	}
	if !more.IsZero() {
		until.within = max(more.Sub(now), 1)
	}
	return nil, until, nil
}

// event is what there may be something to take after.
type event struct {
	changed <-chan struct{}
	within  time.Duration // 0: no matter how long
}

// wait waits for it, and says whether the time was over first.
func (e event) wait(ctx context.Context, timeout <-chan time.Time) (over bool) {
	var passed <-chan time.Time
	if e.within > 0 {
		timer := time.NewTimer(e.within)
		defer timer.Stop()
		passed = timer.C
	}
	select {
	case <-e.changed:
	case <-passed:
	case <-ctx.Done():
	case <-timeout:
		return true
	}
	return false
}
