package esdb

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// searchWindow is how many events the server looks through before it says how
// far it is.
const searchWindow = 1000

// feed is what one connection delivers.
type feed struct {
	conn   *conn
	sub    *esdb.Subscription
	cancel context.CancelFunc // of the request
}

func (f *feed) close() {
	f.cancel()
	f.conn.close()
}

// open asks a node for what follows s.next.
func (s *subscription) open() (*feed, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	late := time.AfterFunc(s.driver.settings.within, cancel)
	c, err := s.driver.settings.feed.connect(ctx, (*conn).close, func() {})
	if err != nil {
		cancel()
		return nil, err
	}
	f := &feed{conn: c, cancel: cancel}
	err = c.do(s.preferring(ctx), func(ctx context.Context, client *esdb.Client) error {
		var err error
		f.sub, err = client.SubscribeToAll(ctx, s.wanted())
		return err
	})
	if err == nil && !late.Stop() {
		err = context.DeadlineExceeded
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// preferring asks for the leader if the URL does.
func (s *subscription) preferring(ctx context.Context) context.Context {
	if s.driver.settings.feed.conf.NodePreference == esdb.NodePreferenceLeader {
		return atLeader(ctx)
	}
	return ctx
}

func (s *subscription) wanted() esdb.SubscribeToAllOptions {
	filter := &esdb.SubscriptionFilter{Type: esdb.StreamFilterType}
	if prefix := s.driver.settings.prefix + s.prefix; prefix != "" {
		filter.Prefixes = []string{prefix}
	} else {
		filter.Regex = names.String()
	}
	o := esdb.SubscribeToAllOptions{From: esdb.Start{}, MaxSearchWindow: searchWindow, CheckpointInterval: 1, Filter: filter}
	if s.next > 0 {
		o.From = esdb.Position{Commit: s.next, Prepare: s.next}
	}
	return o
}

// names is what a stream can be called.
var names = regexp.MustCompile("^[a-z0-9][a-z0-9._-]*$")

// pump puts commits together and hands them over until the feed ends.
func (s *subscription) pump(f *feed) error {
	var j joiner
	seen := s.next
	for {
		switch got := f.sub.Recv(); {
		case got.SubscriptionDropped != nil:
			return fmt.Errorf("dropped: %w", got.SubscriptionDropped.Error)
		case got.CheckPointReached != nil:
			// Nothing for us up to there; but half a commit must be seen again.
			if j.count == 0 {
				s.next = max(s.next, got.CheckPointReached.Commit)
			}
		case got.CaughtUp != nil:
			s.CaughtUp()
		case got.EventAppeared != nil:
			e := got.EventAppeared.OriginalEvent()
			if e == nil {
				return errors.New("the server sent an event without one")
			}
			if e.Position.Commit <= seen && seen > 0 {
				continue // delivered before
			}
			seen = e.Position.Commit
			stream, ours := strings.CutPrefix(e.StreamID, s.driver.settings.prefix)
			if !ours || !strings.HasPrefix(stream, s.prefix) || !names.MatchString(stream) || foreign(e) {
				continue
			}
			c, complete, err := j.add(stream, e)
			if err != nil {
				return err
			}
			if !complete {
				continue
			}
			if err := s.Hand(c); err != nil {
				return err
			}
			s.next = uint64(c.Checkpoint)
		}
	}
}
