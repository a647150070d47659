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

// Ack removes deliveries for good, also when somebody else holds them by now.
//
// It does not wait for the server: an ack travels behind what this connection
// published before, at once, and if the connection breaks on the way the
// message is delivered again when its lease runs out. While the connection is
// away Ack fails; acking all again later is no error.
func (q *Queue) Ack(ctx context.Context, deliveries ...queue.Delivery) error {
	return q.answer(ctx, "ack to", deliveries, ackBody)
}

// Extend starts the lease of each delivery anew, also when somebody else holds
// it by now. Like Ack it does not wait.
func (q *Queue) Extend(ctx context.Context, deliveries ...queue.Delivery) error {
	return q.answer(ctx, "extend lease in", deliveries, extendBody)
}

func (q *Queue) answer(ctx context.Context, what string, deliveries []queue.Delivery, body []byte) error {
	if err := ctx.Err(); err != nil {
		return q.failed(ctx, what, err)
	}
	for _, d := range deliveries {
		if _, ok := d.Token.(token); !ok {
			return fmt.Errorf("%s queue %q: message of key %q: it was not received from this queue", what, q.name, d.Key)
		}
	}
	for _, d := range deliveries {
		if err := q.nc.Publish(string(d.Token.(token)), body); err != nil {
			return q.failed(ctx, what, err)
		}
	}
	return nil
}

// Purge removes all messages of a key, leased ones included.
func (q *Queue) Purge(ctx context.Context, key string) error {
	if err := queue.CheckKey(key); err != nil {
		return fmt.Errorf("purge queue %q: %w", q.name, err)
	}
	call, cancel := natsconn.Call(ctx, q.nc, callWithin)
	defer cancel()
	if err := q.stream.Purge(call, jetstream.WithPurgeSubject(q.prefix+key)); err != nil {
		return q.failed(ctx, "purge key "+key+" in", err)
	}
	return nil
}

// Pending counts the messages of a key that are not acked, leased ones
// included. An ack may take a moment to show.
//
// A server that is killed may find messages in its folder again whose acks it
// knows: it never delivers them, and would keep them for ever. They lie at or
// below the sequence up to which all is acked, so they are removed here, and do
// not count.
func (q *Queue) Pending(ctx context.Context, key string) (int, error) {
	if err := queue.CheckKey(key); err != nil {
		return 0, fmt.Errorf("count messages of queue %q: %w", q.name, err)
	}
	n, err := q.pending(ctx, q.prefix+key)
	if err != nil {
		return 0, q.failed(ctx, "count messages of key "+key+" in", err)
	}
	return n, nil
}

func (q *Queue) pending(ctx context.Context, subject string) (int, error) {
	ctx, cancel := natsconn.Call(ctx, q.nc, callWithin)
	defer cancel()
	count := jetstream.WithSubjectFilter(subject)
	there, err := q.stream.Info(ctx, count)
	if err != nil || len(there.State.Subjects) == 0 {
		return 0, err
	}
	consumer, err := q.stream.Consumer(ctx, consumerName)
	if err != nil {
		return 0, err
	}
	if acked := consumer.CachedInfo().AckFloor.Stream; acked >= there.State.FirstSeq {
		if err := q.stream.Purge(ctx, jetstream.WithPurgeSequence(acked+1)); err != nil {
			return 0, err
		}
		if there, err = q.stream.Info(ctx, count); err != nil {
			return 0, err
		}
	}
	return int(there.State.Subjects[subject]), nil
}
