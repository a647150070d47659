package nats

import (
	"context"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/queue"
)

// ackBackFor is how long the newest acknowledgement is kept back at most. It is
// never more than a small part of the lease.
const ackBackFor = 10 * time.Millisecond

// heldBack keeps back the acknowledgement of the newest message for a moment, or
// until one of a newer message follows it.
//
// A server that removes the last message of a stream's last file begins another
// file at once, with the stream locked: 0.3 ms and more, which is longer than all
// else that it does for a message. Where each message is handled before the next
// one is sent, as in a chain of small steps, that is the way of every message.
// While the newest one stays, the file does.
type heldBack struct {
	mu    sync.Mutex
	held  queue.Delivery // Token nil: none
	timer *time.Timer
}

// newest is of what is held back and these the delivery of the newest message. The
// caller has the lock.
func (b *heldBack) newest(deliveries []queue.Delivery) queue.Delivery {
	newest := b.held
	for _, d := range deliveries {
		if newest.Token == nil || d.Token.(token).sequence > newest.Token.(token).sequence {
			newest = d
		}
	}
	return newest
}

// Ack removes deliveries for good, also when somebody else holds them by now.
//
// It does not wait for the server: an ack travels behind what this connection
// published before, at once, but for that of the newest message, which may follow
// a moment later. If the connection breaks on the way the message is delivered
// again when its lease runs out. While the connection is away Ack fails; acking
// all again later is no error.
func (s *stream) Ack(ctx context.Context, deliveries ...queue.Delivery) error {
	if err := s.checkAnswer(ctx, "ack to", deliveries); err != nil || len(deliveries) == 0 {
		return err
	}
	if s.nc.IsClosed() {
		return s.failed(ctx, "ack to", natsgo.ErrConnectionClosed)
	}
	if !s.nc.IsConnected() {
		return s.failed(ctx, "ack to", natsgo.ErrDisconnected)
	}
	s.back.mu.Lock()
	defer s.back.mu.Unlock()
	before, newest := s.back.held, s.back.newest(deliveries)
	for _, d := range deliveries {
		if d.Token != newest.Token {
			if err := s.nc.Publish(d.Token.(token).reply, ackBody); err != nil {
				return s.failed(ctx, "ack to", err)
			}
		}
	}
	switch {
	case newest.Token == before.Token:
		return nil // it is not kept longer for that
	case before.Token != nil:
		if err := s.nc.Publish(before.Token.(token).reply, ackBody); err != nil {
			return s.failed(ctx, "ack to", err)
		}
	}
	s.back.held = newest
	within := min(ackBackFor, s.lease/16)
	if s.back.timer == nil {
		s.back.timer = time.AfterFunc(within, s.Flush)
	} else {
		s.back.timer.Reset(within)
	}
	return nil
}

// Flush sends the acknowledgement that is kept back, if there is one. Who is about
// to close the connection calls it, or the message is delivered again.
func (s *stream) Flush() {
	s.back.mu.Lock()
	defer s.back.mu.Unlock()
	if s.back.held.Token != nil {
		_ = s.nc.Publish(s.back.held.Token.(token).reply, ackBody) // else it is delivered again
		s.back.held = queue.Delivery{}
	}
}

// token is the handle of a delivery: the subject that it is answered at, and its
// place in the stream.
type token struct {
	reply    string
	sequence uint64
}
