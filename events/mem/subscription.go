package mem

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/deedrun/deed/events"
)

func (d *driver) Subscribe(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("subscribe to streams %q: %w", prefix, err)
	}
	d.mu.Lock()
	last := len(d.log)
	d.mu.Unlock()
	if after > events.Checkpoint(last) {
		return nil, fmt.Errorf("subscribe to streams %q: checkpoint %d is beyond the last commit, %d: it comes from another store; begin again at 0", prefix, after, last)
	}
	return &subscription{driver: d, prefix: prefix, next: int(after), ctx: ctx, stopped: make(chan struct{})}, nil
}

// subscription is a place in the log; there is nothing to fall behind in.
type subscription struct {
	driver  *driver
	prefix  string
	next    int // index in the log
	ctx     context.Context
	stop    sync.Once
	stopped chan struct{}
}

func (s *subscription) Next(ctx context.Context, wait bool) (events.Commit, bool, error) {
	for {
		if err := s.ended(ctx); err != nil {
			return events.Commit{}, false, err
		}
		c, changed := s.advance()
		if c != nil {
			return copied(*c), true, nil
		}
		if !wait {
			return events.Commit{}, false, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-s.ctx.Done():
		case <-s.stopped:
		}
	}
}

func (s *subscription) ended(ctx context.Context) error {
	select {
	case <-s.stopped:
		return events.ErrStopped
	default:
	}
	err := s.ctx.Err()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("subscription to streams %q: %w", s.prefix, err)
	}
	return nil
}

// advance is the next commit, or nil and what closes when there is more.
func (s *subscription) advance() (*events.Commit, <-chan struct{}) {
	s.driver.mu.Lock()
	defer s.driver.mu.Unlock()
	for ; s.next < len(s.driver.log); s.next++ {
		if c := s.driver.log[s.next]; c != nil && strings.HasPrefix(c.Stream, s.prefix) {
			s.next++
			return c, nil
		}
	}
	return nil, s.driver.changed
}

func (s *subscription) Stop() { s.stop.Do(func() { close(s.stopped) }) }
