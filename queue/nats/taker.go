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

// ErrNotThere is wrapped by the error of OpenTaker for a queue that nobody has
// made yet.
var ErrNotThere = errors.New("nobody has made the queue yet")

// Taker receives from one lane of a queue in lanes, and does nothing else.
type Taker interface {
	queue.Consumer

	// Flush sends the acknowledgement that is kept back: before the connection closes.
	Flush()
}

// OpenTaker opens a lane of a queue that others made. It makes neither the stream
// nor the consumer of the lane, so that a user who may only receive has one: until
// others make the lane, nothing comes. Its lease is that of the default lane.
//
// Let a Receive end by itself where it matters: to a cluster, who asks from another
// account is there until the time that it asked for is over, and what is sent
// after he went comes again when its lease runs out.
func OpenTaker(ctx context.Context, nc *natsgo.Conn, o Options, lane string) (Taker, error) {
	if err := queue.CheckLane(lane); err != nil {
		return nil, fmt.Errorf("open a lane of queue %q: %w", o.Name, err)
	}
	s, err := describe(nc, o, inLanes)
	if err != nil {
		return nil, err
	}
	c := &consumer{stream: s}
	err = natsconn.ByAPI(nc, func(api string) error {
		c.next = api + ".CONSUMER.MSG.NEXT." + o.stream() + "." + laneConsumer(laneOf(queue.Message{Lane: lane}))
		s.lease, err = s.leaseBy(ctx, api, o.stream())
		return err
	})
	if err != nil {
		return nil, s.failed(ctx, "open a lane of", err)
	}
	return offered{taker{c}}, nil
}

// leaseBy asks by one of the ways to JetStream what the consumer of the default
// lane has.
func (s *stream) leaseBy(ctx context.Context, api, stored string) (time.Duration, error) {
	js, err := jetstream.NewWithAPIPrefix(s.nc, api)
	if err != nil {
		return 0, err
	}
	call, cancel := natsconn.Call(ctx, s.nc, lookWithin)
	defer cancel()
	there, err := js.Consumer(call, stored, laneConsumer(queue.DefaultLane))
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		return 0, ErrNotThere
	case err != nil:
		return 0, natsconn.Cause(ctx, call, err)
	}
	return there.CachedInfo().Config.AckWait, nil
}

// offered is no more than its interface says: nothing here looks after the stream.
type offered struct{ Taker }

type taker struct{ *consumer }

// Receive takes from the lane, as Queue.Receive does. That nobody has made the
// lane is no error: nothing can lie in it.
func (t taker) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Delivery, error) {
	got, err := t.receive(ctx, limit, wait)
	if errors.Is(err, natsgo.ErrNoResponders) {
		return nil, nil
	}
	return got, err
}
