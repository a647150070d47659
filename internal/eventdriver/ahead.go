// Package eventdriver is what drivers of the event store share whose backend is
// far away: commits that are received ahead of a subscriber ([Ahead]), and the
// ends of streams that spare an append the question ([Heads]).
package eventdriver

import (
	"context"
	"fmt"
	"sync"

	"github.com/deedrun/deed/events"
)

// Ahead is the subscriber's side of a Subscription for which a goroutine of the
// driver receives commits ahead. Drivers embed it; everybody else sees a
// [events.Subscription]. The goroutine hands over commits until the context ends or
// something is wrong for good, and then calls End, once. Meanwhile it calls
// CaughtUp, once or more often.
type Ahead struct {
	prefix string
	parent context.Context // of Subscribe
	ctx    context.Context // ends with parent, and by Stop
	stop   context.CancelFunc
	ready  chan events.Commit // closed by End, after it set failed
	failed error
	caught chan struct{} // closed by CaughtUp
	once   sync.Once
}

// ReceiveAhead prepares a subscription to streams under prefix that is at most
// so many commits ahead of its subscriber.
func ReceiveAhead(ctx context.Context, prefix string, most int) *Ahead {
	a := &Ahead{prefix: prefix, parent: ctx, ready: make(chan events.Commit, most), caught: make(chan struct{})}
	a.ctx, a.stop = context.WithCancel(ctx)
	return a
}

// Context ends with the one of Subscribe, and by Stop.
func (a *Ahead) Context() context.Context { return a.ctx }

// Hand gives the subscriber a commit. It waits while the subscriber is behind,
// and fails once the subscription has ended.
func (a *Ahead) Hand(c events.Commit) error {
	select {
	case a.ready <- c:
		return nil
	case <-a.ctx.Done():
		return a.ctx.Err()
	}
}

// CaughtUp says that what was stored at Subscribe has been handed over.
func (a *Ahead) CaughtUp() { a.once.Do(func() { close(a.caught) }) }

// End is the last the goroutine does; failed is why, if it was not asked to.
func (a *Ahead) End(failed error) {
	a.failed = failed
	close(a.ready)
}

// Next implements [events.Subscription].
func (a *Ahead) Next(ctx context.Context, wait bool) (events.Commit, bool, error) {
	if err := a.ended(ctx); err != nil {
		return events.Commit{}, false, err
	}
	var caught <-chan struct{}
	if !wait {
		caught = a.caught
	}
	select {
	case c, open := <-a.ready:
		return a.got(ctx, c, open)
	case <-caught:
		select {
		case c, open := <-a.ready: // handed over before
			return a.got(ctx, c, open)
		default:
			return events.Commit{}, false, nil
		}
	case <-ctx.Done():
	case <-a.ctx.Done():
	}
	return events.Commit{}, false, a.ended(ctx)
}

func (a *Ahead) got(ctx context.Context, c events.Commit, open bool) (events.Commit, bool, error) {
	if open {
		return c, true, nil
	}
	if err := a.ended(ctx); err != nil {
		return events.Commit{}, false, err
	}
	return events.Commit{}, false, fmt.Errorf("subscription to streams %q: %w", a.prefix, a.failed)
}

func (a *Ahead) ended(ctx context.Context) error {
	err := a.parent.Err()
	if err == nil && a.ctx.Err() != nil {
		return events.ErrStopped
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("subscription to streams %q: %w", a.prefix, err)
	}
	return nil
}

// Stop implements [events.Subscription].
func (a *Ahead) Stop() { a.stop() }
