package nats

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

const (
	// window and windowBytes bound what one Send has under way unacknowledged.
	window      = 1024
	windowBytes = 16 << 20

	// retryFor is how long a Send tries again what the server did not take.
	retryFor = 3 * time.Second

	// ackWithin is how long the server may take for any next acknowledgement, and
	// replicasAckWithin how long several may: what was published while they had no
	// leader is lost, and electing one takes them a few seconds.
	ackWithin         = 10 * time.Second
	replicasAckWithin = 3 * time.Second
)

// errRefused ends a Send whose messages the server kept refusing.
var errRefused = errors.New("not stored: the server did not take it")

// Send publishes the messages with many under way at a time and waits until
// all are acknowledged.
//
// What the server certainly did not take, because it was starting, electing or
// overloaded, is sent again for up to 3 s; only then may a message of a key
// come after one that was sent later in the same call. What may or may not be
// stored, because the connection broke, or because a server alone took some of
// what was under way and refused some, is not: that is ErrUnavailable, and sending
// again is the caller's decision.
func (s *stream) Send(ctx context.Context, messages ...queue.Message) error {
	if err := ctx.Err(); err != nil {
		return s.failed(ctx, "send to", err)
	}
	for i, m := range messages {
		if err := m.Check(); err != nil {
			return fmt.Errorf("send to queue %q: message %d of %d: %w", s.name, i+1, len(messages), err)
		}
	}
	fits, tooLarge := s.fitting(messages)
	open := make([]int, fits)
	for i := range open {
		open[i] = i
	}
	giveUp := time.Now().Add(retryFor)
	for wait := 25 * time.Millisecond; len(open) > 0; wait = min(2*wait, 400*time.Millisecond) {
		refused, why, err := s.publish(ctx, messages, open)
		if err == nil && len(refused) > 0 && time.Now().After(giveUp) {
			err = fmt.Errorf("%w within %s: %d of %d messages: %w", errRefused, retryFor, len(refused), len(messages), why)
			return s.failed(ctx, "send to", fmt.Errorf("%w: %w", queue.ErrUnavailable, err))
		}
		if err != nil {
			return s.failed(ctx, "send to", err)
		}
		if open = refused; len(open) > 0 {
			pause(ctx, wait)
		}
	}
	return tooLarge
}

// fitting counts the messages before the first that is too large; the error is
// about that one.
func (s *stream) fitting(messages []queue.Message) (int, error) {
	limit := s.nc.MaxPayload()
	for i, m := range messages {
		if int64(len(m.Body)+headerSize(m)) > limit {
			return i, fmt.Errorf("send to queue %q: message %d of %d, key %q: %w: %d bytes, the server takes at most %d (its max_payload)",
				s.name, i+1, len(messages), m.Key, queue.ErrTooLarge, len(m.Body), limit)
		}
	}
	return len(messages), nil
}

// publish sends the messages that open names and waits for the acknowledgements.
// Those it returns are certainly not stored, and why one of them is not. After a
// refusal it sends no further ones, to keep the order.
func (s *stream) publish(ctx context.Context, messages []queue.Message, open []int) (refused []int, why, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	connection, refusals := s.inboxes.session(), natsconn.WatchRefusals(s.nc)
	if s.nc.IsClosed() {
		return nil, nil, natsgo.ErrConnectionClosed
	}
	if connection.lost() {
		return open, natsgo.ErrDisconnected, nil
	}
	in, err := s.inboxes.borrow(min(window, len(open)))
	if err != nil {
		return nil, nil, err
	}
	f := newFlight(messages, open, in, s.replicated)
	defer func() {
		if f.underWay == 0 {
			s.inboxes.release(in)
		} else {
			s.inboxes.abandon(in)
		}
	}()

	watch := time.NewTicker(watchEvery)
	defer watch.Stop()
	progress := time.Now()
	for {
		if err := s.fill(f, in); err != nil {
			return nil, nil, err
		}
		if f.underWay == 0 && !f.maySend() { // else what lies in the inbox is read first
			if f.stored > 0 && f.declined > 0 && !f.labelled {
				return nil, nil, fmt.Errorf("%w: %d of %d messages are stored, and which ones is not known: %w", queue.ErrUnavailable, f.stored, len(open), f.why)
			}
			refused = slices.Concat(f.refused, open[f.sent:])
			slices.Sort(refused)
			return refused, f.why, nil
		}
		if n := len(in.c); n > 0 { // what is there is read before anything else is looked at
			progress = time.Now()
			for range n {
				if err := f.settle(<-in.c); err != nil {
					return nil, nil, err
				}
			}
			continue
		}
		select {
		case m := <-in.c:
			if err := f.settle(m); err != nil {
				return nil, nil, err
			}
			progress = time.Now()
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-watch.C:
			if connection.lost() {
				return nil, nil, fmt.Errorf("%w: %d of %d messages are acknowledged, the others may be stored or not", natsgo.ErrDisconnected, f.stored, len(open))
			}
			if err := refusals.Of(s.prefix); err != nil {
				return nil, nil, err
			}
			if within := s.ackWithin(); time.Since(progress) > within {
				return nil, nil, fmt.Errorf("%w: no acknowledgement within %s; %d of %d messages are acknowledged", natsgo.ErrTimeout, within, f.stored, len(open))
			}
		}
	}
}

// fill sends messages until as many are under way as may be, or an answer came.
func (s *stream) fill(f *flight, in *inbox) error {
	for f.maySend() && len(in.c) == 0 {
		m := f.messages[f.open[f.sent]]
		err := s.publishOne(m, f.subject(s, m), f.replyOf(f.sent))
		if err != nil && f.underWay == 0 && isUnavailable(err) {
			f.refused, f.why = append(f.refused, f.open[f.sent]), err
			f.sent++
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w (%d of %d messages are stored)", err, f.stored, len(f.open))
		}
		f.sent++
		f.underWay++
		f.bytes += len(m.Body)
	}
	return nil
}

// traceHeader carries Message.Trace, by the name that all tools know.
const traceHeader = "traceparent"

// headerSize is what the server counts of a message beside its body.
func headerSize(m queue.Message) int {
	if m.Trace == "" {
		return 0
	}
	return len("NATS/1.0\r\n") + len(traceHeader) + len(": ") + len(m.Trace) + len("\r\n\r\n")
}

func (s *stream) publishOne(m queue.Message, subject, reply string) error {
	if m.Trace == "" {
		return s.nc.PublishRequest(subject, reply, m.Body)
	}
	return s.nc.PublishMsg(&natsgo.Msg{Subject: subject, Reply: reply, Data: m.Body, Header: natsgo.Header{traceHeader: {m.Trace}}})
}

func (s *stream) ackWithin() time.Duration {
	if s.replicated {
		return replicasAckWithin
	}
	return ackWithin
}
