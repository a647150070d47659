package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventdriver"
	"github.com/deedrun/deed/internal/natsconn"
)

const (
	fetchMessages = 64          // asked for at once, so this many commits wait here at most, and readyCommits
	readyCommits  = 16          // decoded ahead of the subscriber
	heartbeat     = time.Second // twice this without one and the consumer is made anew
	consumerKept  = time.Minute // by the server, after the last sign of us
	// createWithin is short: a server that goes down leaves requests unanswered,
	// and the subscription should be back soon after the server is.
	createWithin = 2 * time.Second
)

func (d *driver) Subscribe(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
	s := &subscription{Ahead: eventdriver.ReceiveAhead(ctx, prefix, readyCommits), driver: d, prefix: prefix, next: uint64(after) + 1}
	s.ctx = s.Context()
	if err := s.open(ctx, after); err != nil {
		s.Stop()
		return nil, fmt.Errorf("subscribe to streams %q: %w", prefix, failure(ctx, err))
	}
	go s.run()
	return s, nil
}

// subscription is a goroutine that pulls commits from the log ahead of the
// subscriber and stops pulling when the subscriber is slow. What it depends on
// at the server, a consumer, may vanish at any time: it is made anew from the
// next sequence.
type subscription struct {
	*eventdriver.Ahead
	driver *driver
	prefix string
	ctx    context.Context // of Ahead

	// Of run alone:
	last     uint64 // sequence of the last message when it was subscribed
	next     uint64 // sequence in the log
	consumer jetstream.Consumer
	received uint64 // messages by this consumer
}

// open checks the checkpoint and makes the first consumer, so that what is
// wrong is an error of Subscribe.
func (s *subscription) open(ctx context.Context, after events.Checkpoint) error {
	ctx, cancel := natsconn.Call(ctx, s.driver.nc, callWithin)
	defer cancel()
	info, err := s.driver.log.Info(ctx)
	if err != nil {
		return err
	}
	if last := info.State.LastSeq; uint64(after) > last {
		return fmt.Errorf("checkpoint %d is beyond the last commit, %d: it comes from another store; begin again at 0", after, last)
	}
	if s.last = info.State.LastSeq; s.next > s.last || info.State.Msgs == 0 {
		s.CaughtUp()
	}
	return s.create(ctx)
}

func (s *subscription) create(ctx context.Context) error {
	consumer, err := s.driver.js.CreateConsumer(ctx, s.driver.name, jetstream.ConsumerConfig{
		Description:       "subscription to streams " + s.prefix,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       s.next,
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: consumerKept,
		MemoryStorage:     true,
		Replicas:          1,
	})
	if err != nil {
		return err
	}
	s.consumer, s.received = consumer, 0
	return nil
}

func (s *subscription) run() {
	var failed error
	defer func() { s.End(failed) }()
	defer s.discard()
	for s.ctx.Err() == nil {
		if s.consumer == nil {
			call, cancel := natsconn.Call(s.ctx, s.driver.nc, createWithin)
			err := s.create(call)
			cancel()
			if err != nil { // the server is away, or elects a leader
				_ = pause(s.ctx) // the loop sees that ctx ended
				continue
			}
		}
		err := s.fetch()
		var damaged *events.DamagedError
		if errors.As(err, &damaged) {
			failed = err
			return
		}
		if err != nil && s.ctx.Err() == nil {
			s.consumer = nil // the server drops it by itself, if it has not done so
			_ = pause(s.ctx)
		}
	}
}

// fetch pulls messages until a request is used up or has run out of time, and
// hands them over as they come. An error other than an events.DamagedError means that
// the consumer is no longer to be trusted.
func (s *subscription) fetch() error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	batch, err := s.consumer.Fetch(fetchMessages, jetstream.FetchContext(ctx), jetstream.FetchHeartbeat(heartbeat))
	if err != nil {
		return err
	}
	for m := range batch.Messages() {
		if err := s.hand(m); err != nil {
			return err
		}
		if s.next > s.last {
			s.CaughtUp()
		}
	}
	return batch.Error()
}

var errGap = errors.New("messages were lost on the way")

// hand gives one message to the subscriber, if it is for it.
func (s *subscription) hand(m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	s.received++
	if meta.Sequence.Consumer != s.received {
		return errGap
	}
	seq := meta.Sequence.Stream
	if name, _ := s.driver.stream(m.Subject()); !strings.HasPrefix(name, s.prefix) {
		s.next = seq + 1
		return nil
	}
	c, err := s.driver.commit(m.Subject(), seq, m.Data())
	if err != nil {
		return err
	}
	if err := s.Hand(c); err != nil {
		return err
	}
	s.next = seq + 1
	return nil
}

// discard tells the server that the consumer is not needed any more; in vain
// if the server is away: then it finds out by itself.
func (s *subscription) discard() {
	if s.consumer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), time.Second)
	defer cancel()
	_ = s.driver.js.DeleteConsumer(ctx, s.driver.name, s.consumer.CachedInfo().Name)
}
