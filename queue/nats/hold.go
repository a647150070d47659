package nats

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

const (
	// holdAtATime is how many consumers Hold creates at a time.
	holdAtATime = 16

	// holdWithin bounds how long it tries to. A cluster elects a leader for each.
	holdWithin = 10 * time.Second
)

// Hold makes Receive take from these shards and from no others. A message that
// had come from a shard that is let go, and was not returned by Receive, goes
// back: the next holder gets it at once, with a Delivery.Count that is one higher.
//
// After an error they are held all the same, as far as it can be: Receive goes
// on trying.
func (s *Sharded) Hold(ctx context.Context, shards queue.Shards) error {
	select {
	case s.holding <- struct{}{}:
		defer func() { <-s.holding }()
	case <-ctx.Done():
		return s.failed(ctx, "hold shards of", ctx.Err())
	}
	if err := ctx.Err(); err != nil {
		return s.failed(ctx, "hold shards of", err)
	}
	if s.nc.IsClosed() {
		return s.failed(ctx, "hold shards of", natsgo.ErrConnectionClosed)
	}
	s.letGo(ctx, s.holds().Without(shards))
	if err := s.take(ctx, shards.Without(s.holds())); err != nil {
		return s.failed(ctx, "hold shards of", err)
	}
	return nil
}

// holds is what is held.
func (s *Sharded) holds() queue.Shards {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all queue.Shards
	for shard, h := range &s.held {
		if h != nil {
			all = all.With(shard)
		}
	}
	return all
}

// take begins to receive from shards.
func (s *Sharded) take(ctx context.Context, shards queue.Shards) error {
	if shards == 0 {
		return nil
	}
	made, failed := s.make(ctx, shards)

	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.look()
	for shard := range shards.All() {
		sub, err := s.nc.ChanSubscribe(s.subject+shardToken(shard)+".*", s.arrivals)
		if err != nil {
			return err
		}
		s.held[shard] = &standing{
			shard: shard, consumer: s.consumers[shard], sub: sub, made: made.Has(shard), batch: leastAsked,
		}
	}
	if failed == nil {
		_, failed = s.tend(time.Now())
	}
	return failed
}

// make creates the consumers of shards, and says which are there.
func (s *Sharded) make(ctx context.Context, shards queue.Shards) (made queue.Shards, err error) {
	ctx, cancel := natsconn.Call(ctx, s.nc, holdWithin)
	defer cancel()
	var (
		mu    sync.Mutex
		group sync.WaitGroup
		slots = make(chan struct{}, holdAtATime)
	)
	for shard := range shards.All() {
		slots <- struct{}{}
		group.Go(func() {
			failed := s.consumers[shard].ensure(ctx)
			<-slots
			mu.Lock()
			defer mu.Unlock()
			if failed == nil {
				made = made.With(shard)
			} else {
				err = failed
			}
		})
	}
	group.Wait()
	return made, err
}

// letGo ends the requests for shards and gives back what they brought. When the
// server cannot be reached, leases and pins run out.
func (s *Sharded) letGo(ctx context.Context, shards queue.Shards) {
	if shards == 0 {
		return
	}
	s.Flush()
	var gone []*standing
	s.mu.Lock()
	for shard := range shards.All() {
		gone = append(gone, s.held[shard])
		s.held[shard] = nil
	}
	var kept []arrived
	for _, a := range s.ready {
		if !shards.Has(a.shard) {
			kept = append(kept, a)
			continue
		}
		s.bytes -= len(a.Body)
		s.giveBack(a.Delivery)
	}
	s.ready = kept
	s.mu.Unlock()

	// Unpinned, a request that was pinned brings nothing more. The others end
	// when nobody listens for their answers.
	s.unpin(ctx, gone)
	for _, h := range gone {
		if h.sub.Drain() != nil { // it is not connected
			_ = h.sub.Unsubscribe()
		}
	}
	// The answer to this ping follows everything sent before that.
	_ = s.nc.FlushTimeout(abandonWithin)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleAll(time.Now())
}

// unpin gives up pins, and waits a moment for the server to know.
func (s *Sharded) unpin(ctx context.Context, gone []*standing) {
	in, err := s.inboxes.borrow(len(gone))
	if err != nil {
		return
	}
	body, _ := json.Marshal(map[string]string{"group": pinGroup})
	asked := 0
	for _, h := range gone {
		if h.pin == "" {
			continue
		}
		if s.nc.PublishRequest(h.consumer.unpin, in.reply("unpin"), body) == nil {
			asked++
		}
	}
	timeout := time.NewTimer(abandonWithin)
	defer timeout.Stop()
	for ; asked > 0; asked-- {
		select {
		case <-in.c:
		case <-timeout.C:
			s.inboxes.abandon(in)
			return
		case <-ctx.Done():
			s.inboxes.abandon(in)
			return
		}
	}
	s.inboxes.release(in)
}
