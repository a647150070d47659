package esdb

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventdriver"
)

// readyCommits are put together ahead of the subscriber.
const readyCommits = 16

// Subscribe implements [events.Driver]: a subscription to $all that the server
// filters by the names of streams. A checkpoint is the position in $all of the
// last event of a commit.
func (d *driver) Subscribe(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
	if !d.feeds() {
		return nil, fmt.Errorf("subscribe to streams %q: %w", prefix, errClosed)
	}
	s := &subscription{Ahead: eventdriver.ReceiveAhead(ctx, prefix, readyCommits), driver: d, prefix: prefix, next: uint64(after)}
	s.ctx = s.Context()
	unhook := context.AfterFunc(d.ctx, s.Stop)
	first, err := s.begin()
	if err != nil {
		unhook()
		s.Stop()
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
	*eventdriver.Ahead
	driver *driver
	prefix string
	ctx    context.Context // of Ahead

	next uint64 // position in $all behind which to begin again; of run alone
}

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
func (d *driver) end(ctx context.Context) (position uint64, err error) {
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
	var failed error
	defer func() { s.End(failed) }()
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
			failed = s.driver.failure(s.ctx, err)
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
