package nats

import (
	"context"
	"fmt"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/queue"
)

// laneConsumer is storage: it names the durable consumer of a lane, and
// autoscalers are pointed at it.
func laneConsumer(lane string) string { return "pool-" + lane }

func (s *stream) laneFilter(lane string) string { return s.prefix + lane + ".*" }

// Lanes is a queue.Lanes in a JetStream stream. Like Queue it is safe for many
// goroutines and needs no closing.
//
// The consumer of a lane is made by the first Send to it, before anything lies
// there, so that whoever counts what waits in it has something to look at.
type Lanes struct {
	*stream
	byDefault *consumer

	mu    sync.Mutex
	known map[string]*consumer // that were there when this was used first
}

var (
	_ queue.Lanes = (*Lanes)(nil)
	_ queue.Queue = (*lane)(nil)
)

// OpenLanes opens a queue in lanes, and creates its stream and the consumer of
// its default lane if they are not there.
func OpenLanes(ctx context.Context, nc *natsgo.Conn, o Options) (*Lanes, error) {
	s, err := openStream(ctx, nc, o, inLanes)
	if err != nil {
		return nil, err
	}
	l := &Lanes{stream: s, known: map[string]*consumer{}}
	if err := s.adoptLease(ctx, l.describe(queue.DefaultLane)); err != nil {
		return nil, s.failed(ctx, "open", err)
	}
	if l.byDefault, err = l.consumerOf(ctx, queue.DefaultLane); err != nil {
		return nil, s.failed(ctx, "open", err)
	}
	return l, nil
}

func (l *Lanes) describe(lane string) *consumer {
	return l.stream.consumer(laneConsumer(lane), l.laneFilter(lane))
}

// consumerOf is that of a lane, which it makes when it is used first.
func (l *Lanes) consumerOf(ctx context.Context, lane string) (*consumer, error) {
	l.mu.Lock()
	c, ok := l.known[lane]
	l.mu.Unlock()
	if ok {
		return c, nil
	}
	c = l.describe(lane)
	if err := c.ensure(ctx); err != nil {
		return nil, fmt.Errorf("lane %q: %w", lane, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[lane] = c
	return c, nil
}

// Send stores the messages, each in its lane, as Queue.Send does.
func (l *Lanes) Send(ctx context.Context, messages ...queue.Message) error {
	call, cancel := context.WithTimeout(ctx, retryFor)
	defer cancel()
	for i, m := range messages {
		if m.Check() != nil || i > 0 && m.Lane == messages[i-1].Lane {
			continue // what is wrong with a message the stream's Send says
		}
		if _, err := l.consumerOf(call, laneOf(m)); err != nil {
			return l.failed(ctx, "send to", err)
		}
	}
	return l.stream.Send(ctx, messages...)
}

// Receive takes from the default lane, as Queue.Receive does.
func (l *Lanes) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Delivery, error) {
	return l.byDefault.receive(ctx, limit, wait)
}

// Lane is the same queue, with a Receive that takes from another lane. Its
// consumer is made again if somebody deleted it.
func (l *Lanes) Lane(ctx context.Context, name string) (queue.Queue, error) {
	if err := queue.CheckLane(name); err != nil {
		return nil, fmt.Errorf("open a lane of queue %q: %w", l.name, err)
	}
	name = laneOf(queue.Message{Lane: name})
	l.mu.Lock()
	delete(l.known, name)
	l.mu.Unlock()
	c, err := l.consumerOf(ctx, name)
	if err != nil {
		return nil, l.failed(ctx, "open a lane of", err)
	}
	return &lane{Lanes: l, consumer: c}, nil
}

// lane is a queue in lanes, of which Receive takes from one.
type lane struct {
	*Lanes
	consumer *consumer
}

// Receive takes from the lane, as Queue.Receive does.
func (l *lane) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Delivery, error) {
	return l.consumer.receive(ctx, limit, wait)
}
