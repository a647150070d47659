package esdb

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/deedrun/deed/events"
)

// readyCommits are put together ahead of the subscriber.
const readyCommits = 16

// Subscribe implements [events.Driver]: a subscription to $all that the server
// filters by the names of streams. A checkpoint is the position in $all of the
// last event of a commit.
func (d *Driver) Subscribe(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
	s := &subscription{driver: d, prefix: prefix, next: uint64(after), parent: ctx, ready: make(chan events.Commit, readyCommits)}
	if !d.feeds() {
		return nil, fmt.Errorf("subscribe to streams %q: %w", prefix, errClosed)
	}
	s.ctx, s.stop = context.WithCancel(ctx)
	unhook := context.AfterFunc(d.ctx, s.stop)
	first, err := s.begin()
	if err != nil {
		unhook()
		s.stop()
		d.feeding.Done()
		return nil, fmt.Errorf("subscribe to streams %q: %w", prefix, d.failure(ctx, err))
	}
	go func() {
		defer d.feeding.Done()
		defer unhook()
		s.run(first)
	}()
	return s, nil
}

// subscription is a goroutine that receives commits ahead of the subscriber and
// stops receiving when the subscriber is slow. When what feeds it ends, because
// the server went away or another node leads now, it begins again after the last
// commit it handed over.
type subscription struct {
	driver *Driver
	prefix string
	parent context.Context // of Subscribe
	ctx    context.Context // ends with parent, with the driver, and by Stop
	stop   context.CancelFunc
	ready  chan events.Commit // closed by run, after it set failed
	failed error

	next uint64 // position in $all behind which to begin again; of run alone
}

func (s *subscription) Next(ctx context.Context, wait bool) (events.Commit, bool, error) {
	if err := s.ended(ctx); err != nil {
		return events.Commit{}, false, err
	}
	if !wait {
		select {
		case c, open := <-s.ready:
			return s.got(ctx, c, open)
		default:
			return events.Commit{}, false, nil
		}
	}
	select {
	case c, open := <-s.ready:
		return s.got(ctx, c, open)
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	return events.Commit{}, false, s.ended(ctx)
}

func (s *subscription) got(ctx context.Context, c events.Commit, open bool) (events.Commit, bool, error) {
	if open {
		return c, true, nil
	}
	if err := s.ended(ctx); err != nil {
		return events.Commit{}, false, err
	}
	return events.Commit{}, false, fmt.Errorf("subscription to streams %q: %w", s.prefix, s.failed)
}

func (s *subscription) ended(ctx context.Context) error {
	err := s.parent.Err()
	if err == nil && s.ctx.Err() != nil {
		return events.ErrStopped
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("subscription to streams %q: %w", s.prefix, err)
	}
	return nil
}

func (s *subscription) Stop() { s.stop() }

// begin checks the checkpoint and opens the first feed, so that what is wrong is
// an error of Subscribe.
func (s *subscription) begin() (*feed, error) {
	if s.next > 0 {
		last, err := s.driver.end(s.ctx)
		if err != nil {
			return nil, err
		}
		if s.next > last {
			return nil, damaged("checkpoint %d is beyond the last commit, which is at %d or before: it comes from another store; begin again at 0", s.next, last)
		}
	}
	first, err := s.open()
	if s.ctx.Err() == nil && lost(err) {
		first, err = s.open()
	}
	return first, err
}

// end is the position of the last event of all.
func (d *Driver) end(ctx context.Context) (position uint64, err error) {
	err = d.ask(ctx, func(ctx context.Context, client *esdb.Client) error {
		feed, err := client.ReadAll(ctx, esdb.ReadAllOptions{From: esdb.End{}, Direction: esdb.Backwards}, 1)
		if err != nil {
			return err
		}
		list, _, err := drain(feed)
		if len(list) > 0 {
			position = list[0].Position.Commit
		}
		return err
	})
	return position, err
}

// run hands over what feeds deliver until the subscription ends, or until an
// error that waiting does not cure.
func (s *subscription) run(f *feed) {
	defer close(s.ready)
	wait := firstPause
	for {
		var err error
		if f == nil {
			f, err = s.open()
		}
		if f != nil {
			before := s.next
			err = guarded(func() error { return s.pump(f) })
			f.close()
			f = nil
			if s.next != before {
				wait = firstPause
			}
		}
		if s.ctx.Err() != nil {
			return
		}
		if verdict(err) {
			s.failed = s.driver.failure(s.ctx, err)
			return
		}
		level := slog.LevelDebug
		if wait == firstPause { // once an outage
			level = slog.LevelWarn
		}
		s.driver.log.Log(s.ctx, level, "eventstoredb: subscription interrupted, beginning again", "streams", s.prefix, "after", s.next, "error", err)
		_ = pause(s.ctx, wait) // the loop sees that ctx ended
		wait = min(2*wait, lastPause)
	}
}
