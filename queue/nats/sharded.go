package nats

import (
	"context"
	"fmt"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/queue"
)

const (
	// pinGroup and pinFor are storage, as settings of the consumers of shards:
	// who is pinned and asks for nothing during pinFor is pinned no longer.
	pinGroup = "holder"
	pinFor   = 2 * time.Second
)

// shardConsumer is storage: it names the durable consumer of a shard.
func shardConsumer(shard int) string { return "shard-" + shardToken(shard) }

func (s *stream) shardFilter(shard int) string { return s.prefix + shardToken(shard) + ".>" }

// Sharded is one consumer of a queue.Sharded in a JetStream stream. It is safe
// for many goroutines, and needs no closing: it ends with its connection, or
// when it holds no shard any more.
//
// Of each shard that it holds a request stands at the server, whose answers all
// come to one channel; so holding many shards costs little while nothing comes,
// and the way of a message is no longer than from a queue that is not sharded.
// It has no goroutine: requests are renewed by Receive, and who does not call
// it for two seconds loses its pins to whoever else wants its shards.
//
// The server pins a shard to a consumer by the first message that it delivers.
// It keeps the pin while messages come, and lets it lapse when none came for a
// while: of two that hold the same idle shard either may get the next message.
//
// The consumers of shards are in the server's memory, where they cost no file
// and no sync: a server that starts anew has them made again, and counts
// deliveries from 1.
type Sharded struct {
	*stream
	holding   chan struct{}    // one Hold at a time
	receiving chan struct{}    // one Receive at a time
	changed   chan struct{}    // tells a Receive that waits to look again
	arrivals  chan *natsgo.Msg // of all shards held
	subject   string           // that answers come to, with the dot
	consumers [queue.ShardCount]*consumer

	mu         sync.Mutex
	held       [queue.ShardCount]*standing // nil: not held
	ready      []arrived                   // came, and was not returned yet
	bytes      int                         // of ready
	turns      int                         // requests so far
	connection session                     // over which the requests stand
}

// arrived is a delivery of a shard.
type arrived struct {
	shard int
	queue.Delivery
}

var _ queue.Sharded = (*Sharded)(nil)

// OpenSharded opens a queue in shards, and creates its stream if it is not
// there; the consumers of shards are created by who holds them.
func OpenSharded(ctx context.Context, nc *natsgo.Conn, o Options) (*Sharded, error) {
	stream, err := openStream(ctx, nc, o, inShards)
	if err != nil {
		return nil, err
	}
	s := &Sharded{
		stream:    stream,
		holding:   make(chan struct{}, 1),
		receiving: make(chan struct{}, 1),
		changed:   make(chan struct{}, 1),
		arrivals:  make(chan *natsgo.Msg, maxAsked+queue.ShardCount*(leastAsked+16)),
		subject:   nc.NewInbox() + ".",
	}
	s.connection = s.inboxes.session()
	for shard := range s.consumers {
		c := s.consumer(shardConsumer(shard), s.shardFilter(shard))
		c.config.MemoryStorage = true
		c.config.PriorityPolicy = jetstream.PriorityPolicyPinned
		c.config.PriorityGroups = []string{pinGroup}
		c.config.PinnedTTL = pinFor
		s.consumers[shard] = c
	}
	if err := s.adoptLease(ctx, s.consumers[0]); err != nil {
		return nil, s.failed(ctx, "open", err)
	}
	return s, nil
}

// Receive takes at most limit messages of the shards that are held on lease,
// waiting up to wait for the first. While the server cannot be reached it tries
// again until the wait is over, and then fails. A message may take a moment
// after its Send, or after Hold, until a Receive with wait 0 sees it.
func (s *Sharded) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Delivery, error) {
	if limit < 1 {
		return nil, fmt.Errorf("receive from queue %q: max %d: ask for at least 1 message", s.name, limit)
	}
	if err := ctx.Err(); err != nil {
		return nil, s.failed(ctx, "receive from", err)
	}
	deadline := time.Now().Add(wait)
	if !s.isNext(ctx, wait) {
		if err := ctx.Err(); err != nil {
			return nil, s.failed(ctx, "receive from", err)
		}
		return nil, nil
	}
	defer func() { <-s.receiving }()
	for {
		got, again, err := s.collect(limit)
		if len(got) > 0 {
			return got, nil
		}
		if err == nil {
			err = ctx.Err()
		}
		left := time.Until(deadline)
		over := left <= 0 || ctx.Err() != nil
		switch {
		case err != nil && (over || !isUnavailable(err) || s.nc.IsClosed()):
			return nil, s.failed(ctx, "receive from", err)
		case over:
			return nil, nil
		}
		s.await(ctx, min(left, max(time.Until(again), time.Millisecond), watchEvery))
	}
}

// isNext waits for the Receive before this one to return.
func (s *Sharded) isNext(ctx context.Context, wait time.Duration) bool {
	select {
	case s.receiving <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case s.receiving <- struct{}{}:
		return true
	case <-ctx.Done():
	case <-timer.C:
	}
	return false
}

// await waits until something came, or Hold changed something, or for so long.
func (s *Sharded) await(ctx context.Context, atMost time.Duration) {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case m := <-s.arrivals:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.settle(time.Now(), m)
	case <-s.changed:
	case <-ctx.Done():
	case <-timer.C:
	}
}

// collect reads what came, renews the requests, and returns what is ready. When
// that is nothing, it says when requests have to be renewed again, and what
// keeps anything from coming.
func (s *Sharded) collect(limit int) (got []queue.Delivery, again time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.settleAll(now)
	n := min(limit, len(s.ready))
	for _, a := range s.ready[:n] {
		got = append(got, a.Delivery)
		s.bytes -= len(a.Body)
		if held := s.held[a.shard]; held != nil {
			held.ready--
		}
	}
	clear(s.ready[:n])
	if s.ready = s.ready[n:]; len(s.ready) == 0 {
		s.ready = nil
	}
	again, err = s.tend(now)
	return got, again, err
}

// settleAll reads what came.
func (s *Sharded) settleAll(now time.Time) {
	for {
		select {
		case m := <-s.arrivals:
			s.settle(now, m)
		default:
			return
		}
	}
}

// look tells a Receive that waits to look again.
func (s *Sharded) look() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}
