// Package nats keeps queues in NATS JetStream and carries signals over plain
// NATS.
//
// A queue is one work-queue stream with one durable pull consumer that all
// competing consumers share. A message lies at the subject <Subject>.<key>, so
// a key can be counted and purged, and is removed from the stream by its ack:
//
//	Send ──► stream, subjects <Subject>.> ──► consumer "shared" ──► Receive
//	                                             ▲ ack, extend ─────────┘
//
// Nothing has to be opened again after the server restarted or the connection
// came back. While it is away calls fail with queue.ErrUnavailable: Send after
// some retries, Receive when its wait is over, the others at once.
package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

const (
	defaultLease = 10 * time.Second

	// consumerName is storage: it names the durable consumer in every stream
	// ever made, and autoscalers are pointed at it.
	consumerName = "shared"

	// maxLeased bounds the messages on lease at a time over all consumers: each
	// costs the server memory. More stay queued.
	maxLeased = 100_000

	// maxWaiting is how many Receives may wait at a time over all consumers.
	// The server fixes it when it creates the consumer.
	maxWaiting = 16_384
)

// Options of a queue. Only Name is required.
type Options struct {
	Name     string        // names of a-z, 0-9 and "-" separated by dots: "inbox", "work.default"
	Stream   string        // "": "deed-" and Name with dashes for its dots
	Subject  string        // "": "deed.queue." and Name; no other stream may listen below it
	Lease    time.Duration // 0: as it is, 10 s for a new queue; else the last to open the queue decides
	Async    bool          // acknowledged before it is written: the sudden end of the server, or a power cut, takes the tail; one node only
	Replicas int           // 0: 1 for a new stream, what is there otherwise
}

func (o Options) withDefaults() (Options, error) {
	if queue.CheckTopic(o.Name) != nil {
		return o, fmt.Errorf("name %q: write names of a-z, 0-9 and \"-\" separated by dots, such as work.default", o.Name)
	}
	if o.Async && o.Replicas > 1 {
		return o, fmt.Errorf("%d replicas with async persistence: the server takes only one of both; leave async to single nodes", o.Replicas)
	}
	if o.Lease < 0 {
		return o, fmt.Errorf("lease %s: give a positive duration", o.Lease)
	}
	if o.Stream == "" {
		o.Stream = "deed-" + strings.ReplaceAll(o.Name, ".", "-")
	}
	if o.Subject == "" {
		o.Subject = "deed.queue." + o.Name
	}
	return o, nil
}

// Queue is a queue.Queue in a JetStream stream. It is safe for many goroutines
// and needs no closing: it ends with its connection.
type Queue struct {
	nc      *natsgo.Conn
	stream  jetstream.Stream
	name    string
	prefix  string // of the subjects, with the dot
	next    string // the subject that asks the consumer for messages
	lease   time.Duration
	inboxes pool
}

var _ queue.Queue = (*Queue)(nil)

// openWithin bounds how long Open waits for a JetStream that is starting or
// electing a leader.
const openWithin = 15 * time.Second

// Open opens the queue, and creates its stream and consumer if they are not
// there. A stream that exists with other settings is an error; the lease is
// set to what Options say, if they do.
func Open(ctx context.Context, nc *natsgo.Conn, o Options) (*Queue, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	q := &Queue{
		nc:      nc,
		name:    o.Name,
		prefix:  o.Subject + ".",
		next:    "$JS.API.CONSUMER.MSG.NEXT." + o.Stream + "." + consumerName,
		lease:   o.Lease,
		inboxes: newPool(nc),
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, q.failed(ctx, "open", err)
	}
	config := jetstream.StreamConfig{
		Name:      o.Stream,
		Subjects:  []string{o.Subject + ".>"},
		Retention: jetstream.WorkQueuePolicy,
		Storage:   jetstream.FileStorage,
		Replicas:  o.Replicas,
	}
	if o.Async {
		config.PersistMode = jetstream.AsyncPersistMode
	}
	if q.stream, err = natsconn.EnsureStream(ctx, js, config); err != nil {
		return nil, q.failed(ctx, "open", err)
	}
	if err := q.ensureConsumer(ctx); err != nil {
		return nil, q.failed(ctx, "open", err)
	}
	return q, nil
}

// ensureConsumer creates the shared consumer, sets its lease, or takes the
// lease that it has. Right after a cluster healed the server may answer that it
// is unavailable, so it tries again.
func (q *Queue) ensureConsumer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	for {
		err := q.consumerOnce(ctx)
		if err == nil || !isUnavailable(err) {
			return err
		}
		if !pause(ctx, 100*time.Millisecond) {
			return err
		}
	}
}

func (q *Queue) consumerOnce(ctx context.Context) error {
	config := jetstream.ConsumerConfig{
		Durable:       consumerName,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       q.lease,
		MaxDeliver:    -1,
		MaxAckPending: maxLeased,
		MaxWaiting:    maxWaiting,
	}
	if config.AckWait == 0 {
		there, err := q.stream.Consumer(ctx, consumerName)
		if err == nil {
			q.lease = there.CachedInfo().Config.AckWait
			return nil
		}
		if !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return err
		}
		config.AckWait = defaultLease
	}
	_, err := q.stream.CreateOrUpdateConsumer(ctx, config)
	if err == nil {
		q.lease = config.AckWait
	}
	return err
}

// Lease is how long a delivery belongs to its consumer without Extend.
func (q *Queue) Lease() time.Duration { return q.lease }

// failed tells what could not be done with which queue, and marks the errors
// of a backend that cannot be reached. An error of the caller's own context
// stays one.
func (q *Queue) failed(ctx context.Context, what string, err error) error {
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s queue %q: %w", what, q.name, ended)
	}
	if errors.Is(err, context.Canceled) { // not by the caller
		err = fmt.Errorf("%w before the answer came", natsgo.ErrDisconnected)
	}
	if isUnavailable(err) && !errors.Is(err, queue.ErrUnavailable) {
		return fmt.Errorf("%s queue %q: %w: %w", what, q.name, queue.ErrUnavailable, err)
	}
	return fmt.Errorf("%s queue %q: %w", what, q.name, err)
}

// isUnavailable says that the same call may succeed when the server is back.
func isUnavailable(err error) bool {
	for _, e := range []error{
		queue.ErrUnavailable,
		natsgo.ErrNoResponders, natsgo.ErrTimeout, natsgo.ErrDisconnected, natsgo.ErrReconnectBufExceeded,
		natsgo.ErrConnectionClosed, natsgo.ErrConnectionDraining, natsgo.ErrStaleConnection, natsgo.ErrNoServers,
		jetstream.ErrNoStreamResponse, context.DeadlineExceeded,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	var api *jetstream.APIError
	return errors.As(err, &api) && isTransient(api)
}

// isTransient says that the server could not do it now and did nothing: it has
// no leader, or too much to do.
func isTransient(err *jetstream.APIError) bool {
	return err.Code == 503 || err.Code == 429
}

// pause waits, and reports whether it did: false when ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
