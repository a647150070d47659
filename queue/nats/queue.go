// Package nats keeps queues in NATS JetStream and carries signals over plain
// NATS.
//
// A queue is one work-queue stream. A message lies at a subject that ends in
// its key, so a key can be counted and purged, and is removed from the stream
// by its ack. What comes before the key, and who takes it, are three forms:
//
//	Open         deed.queue.<name>.<key>         one consumer, "shared", for all
//	OpenLanes    deed.queue.<name>.<lane>.<key>  a consumer a lane, "pool-<lane>"
//	OpenSharded  deed.queue.<name>.<NN>.<key>    a consumer a shard, "shard-<NN>", pinned to who holds it;
//	             deed.queue.<name>.<NN>.<lane>.<key> for a message of a lane
//
// Whoever may only send to a queue opens an outlet of its form, and who may only
// receive from a lane a [Taker]: neither makes anything on the server.
//
// Consumers compete by pulling from the same one:
//
//	Send ──► stream deed-<name> ──► its consumer ──► Receive
//	                                   ▲ ack, extend ───┘
//
// Nothing has to be opened again after the server restarted or the connection
// came back, or after somebody deleted a consumer. While the server is away
// calls fail with queue.ErrUnavailable: Send after some retries, Receive when
// its wait is over, the others at once.
package nats

import (
	"context"
	"fmt"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/queue"
)

// sharedName is storage: it names the durable consumer of every plain stream
// ever made.
const sharedName = "shared"

// Options of a queue. Only Name is required.
type Options struct {
	Name     string        // names of a-z, 0-9 and "-" separated by dots: "inbox", "work.default"
	Lease    time.Duration // 0: as it is, 10 s for a new queue; else the last to use the queue decides
	Async    bool          // acknowledged before it is written: the sudden end of the server, or a power cut, takes the tail; one node only
	Replicas int           // 0: 1 for a new stream, what is there otherwise
}

func (o Options) check() error {
	if queue.CheckTopic(o.Name) != nil {
		return fmt.Errorf("name %q: write names of a-z, 0-9 and \"-\" separated by dots, such as work.default", o.Name)
	}
	if o.Async && o.Replicas > 1 {
		return fmt.Errorf("%d replicas with async persistence: the server takes only one of both; leave async to single nodes", o.Replicas)
	}
	if o.Lease < 0 {
		return fmt.Errorf("lease %s: give a positive duration", o.Lease)
	}
	return nil
}

// stream and subject are where a queue lies. They are storage. No other stream may
// listen below the subject.
func (o Options) stream() string  { return "deed-" + strings.ReplaceAll(o.Name, ".", "-") }
func (o Options) subject() string { return "deed.queue." + o.Name }

// Queue is a queue.Queue in a JetStream stream. It is safe for many goroutines
// and needs no closing: it ends with its connection.
type Queue struct {
	*stream
	consumer *consumer
}

var _ queue.Queue = (*Queue)(nil)

// Open opens the queue, and creates its stream and consumer if they are not
// there. A stream that exists with other settings is an error; the lease is
// set to what Options say, if they do.
func Open(ctx context.Context, nc *natsgo.Conn, o Options) (*Queue, error) {
	s, err := openStream(ctx, nc, o, plain)
	if err != nil {
		return nil, err
	}
	q := &Queue{stream: s, consumer: s.consumer(sharedName, "")}
	if err := s.adoptLease(ctx, q.consumer); err != nil {
		return nil, s.failed(ctx, "open", err)
	}
	if err := q.consumer.ensure(ctx); err != nil {
		return nil, s.failed(ctx, "open", err)
	}
	return q, nil
}

// Receive takes at most limit messages on lease, and at most 4096, waiting up
// to wait for the first. While the server cannot be reached it tries again
// until the wait is over, and then fails. A message may take a moment after
// its Send until a Receive with wait 0 sees it.
//
// When ctx ends, messages that were already on their way to this call are
// returned, without error.
func (q *Queue) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Delivery, error) {
	return q.consumer.receive(ctx, limit, wait)
}
