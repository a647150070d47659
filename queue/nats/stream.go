package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

const (
	defaultLease = 10 * time.Second

	// openWithin bounds how long a call waits for a JetStream that is starting
	// or electing a leader, before it has anything to do with a message.
	openWithin = 15 * time.Second

	// lookWithin bounds a request of who looks whether anything is there.
	lookWithin = 5 * time.Second
)

// stream is what queues of all forms have: where messages lie, however they
// are received.
type stream struct {
	nc      *natsgo.Conn
	stored  jetstream.Stream // nil: others look after it
	name    string           // of the queue
	form    form
	prefix  string // of the subjects, with the dot
	lease   time.Duration
	inboxes pool
	back    heldBack

	replicated bool // on several servers, which elect
}

// describe is a stream that others look after.
func describe(nc *natsgo.Conn, o Options, f form) (*stream, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	return &stream{
		nc: nc, name: o.Name, form: f, prefix: o.subject() + ".", lease: o.Lease, inboxes: newPool(nc),
		replicated: nc.ConnectedClusterName() != "", // if it is not, elections are expected where there are none
	}, nil
}

func openStream(ctx context.Context, nc *natsgo.Conn, o Options, f form) (*stream, error) {
	s, err := describe(nc, o, f)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, s.failed(ctx, "open", err)
	}
	config := jetstream.StreamConfig{
		Name:      o.stream(),
		Subjects:  []string{o.subject() + ".>"},
		Retention: jetstream.WorkQueuePolicy,
		Storage:   jetstream.FileStorage,
		Replicas:  o.Replicas,
	}
	if o.Async {
		config.PersistMode = jetstream.AsyncPersistMode
	}
	if s.stored, err = natsconn.EnsureStream(ctx, js, config); err != nil {
		return nil, s.failed(ctx, "open", err)
	}
	s.replicated = s.stored.CachedInfo().Config.Replicas > 1
	return s, nil
}

// adoptLease takes the lease that a consumer has when Options chose none, and
// the default if it is not there.
func (s *stream) adoptLease(ctx context.Context, from *consumer) error {
	if s.lease != 0 {
		return nil
	}
	return untilAvailable(ctx, func(ctx context.Context) error {
		there, err := s.stored.Consumer(ctx, from.config.Durable)
		switch {
		case err == nil:
			s.lease = there.CachedInfo().Config.AckWait
		case errors.Is(err, jetstream.ErrConsumerNotFound):
			s.lease = defaultLease
		default:
			return err
		}
		return nil
	})
}

// Lease is how long a delivery belongs to its consumer without Extend.
func (s *stream) Lease() time.Duration { return s.lease }

// untilAvailable tries again what a server answers that is starting, or whose
// cluster healed just now.
func untilAvailable(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	for {
		err := do(ctx)
		if err == nil || !isUnavailable(err) {
			return err
		}
		if !pause(ctx, 100*time.Millisecond) {
			return err
		}
	}
}

// failed tells what could not be done with which queue, and marks the errors
// of a backend that cannot be reached. An error of the caller's own context
// stays one.
func (s *stream) failed(ctx context.Context, what string, err error) error {
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s queue %q: %w", what, s.name, ended)
	}
	if errors.Is(err, context.Canceled) { // not by the caller
		err = fmt.Errorf("%w before the answer came", natsgo.ErrDisconnected)
	}
	if isUnavailable(err) && !errors.Is(err, queue.ErrUnavailable) {
		return fmt.Errorf("%s queue %q: %w: %w", what, s.name, queue.ErrUnavailable, err)
	}
	return fmt.Errorf("%s queue %q: %w", what, s.name, err)
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

// Replicas is on how many servers a queue is kept; 0: it is not there.
func Replicas(ctx context.Context, nc *natsgo.Conn, name string) (int, error) {
	o := Options{Name: name}
	if err := o.check(); err != nil {
		return 0, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return 0, err
	}
	call, cancel := natsconn.Call(ctx, nc, lookWithin)
	defer cancel()
	stored, err := js.Stream(call, o.stream())
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, natsconn.Cause(ctx, call, err)
	}
	return stored.CachedInfo().Config.Replicas, nil
}
