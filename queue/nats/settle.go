package nats

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

// callWithin bounds one request to the server, whose disk may be busy.
const callWithin = 10 * time.Second

var (
	ackBody    = []byte("+ACK")
	extendBody = []byte("+WPI")
)

// Extend starts the lease of each delivery anew, also when somebody else holds
// it by now. Like Ack it does not wait.
func (s *stream) Extend(ctx context.Context, deliveries ...queue.Delivery) error {
	const what = "extend lease in"
	if err := s.checkAnswer(ctx, what, deliveries); err != nil {
		return err
	}
	for _, d := range deliveries {
		if err := s.nc.Publish(d.Token.(token).reply, extendBody); err != nil {
			return s.failed(ctx, what, err)
		}
	}
	return nil
}

func (s *stream) checkAnswer(ctx context.Context, what string, deliveries []queue.Delivery) error {
	if err := ctx.Err(); err != nil {
		return s.failed(ctx, what, err)
	}
	for _, d := range deliveries {
		if _, ok := d.Token.(token); !ok {
			return fmt.Errorf("%s queue %q: message of key %q: it was not received from this queue", what, s.name, d.Key)
		}
	}
	return nil
}

// Purge removes all messages of a key, leased ones included.
func (s *stream) Purge(ctx context.Context, key string) error {
	if err := queue.CheckKey(key); err != nil {
		return fmt.Errorf("purge queue %q: %w", s.name, err)
	}
	s.Flush()
	call, cancel := natsconn.Call(ctx, s.nc, callWithin)
	defer cancel()
	for _, subject := range s.form.ofKey(key) {
		if err := s.stored.Purge(call, jetstream.WithPurgeSubject(s.prefix+subject)); err != nil {
			return s.failed(ctx, "purge key "+key+" in", err)
		}
	}
	return nil
}
