package mem

import (
	"context"
	"fmt"
	"time"

	"github.com/deedrun/deed/queue"
)

// deadAfter is how long the shards of a consumer that died stay its own.
const deadAfter = 2 * time.Second

// Sharded is one consumer of a queue.Sharded in memory; Consumer makes others.
type Sharded struct {
	*shards
	wanted queue.Shards
	died   time.Time // zero: it lives
}

// shards is what the consumers of a sharded queue share: the boxes of its
// store are the shards, in their order.
type shards struct {
	*store
	holder [queue.ShardCount]*Sharded
}

var _ queue.Sharded = (*Sharded)(nil)

// NewSharded is the first consumer of an empty sharded queue.
func NewSharded(o Options) *Sharded {
	s := &shards{store: newStore(o)}
	for range queue.ShardCount {
		s.boxes = append(s.boxes, &box{})
	}
	return s.Consumer()
}

// Consumer is another consumer of the same queue, which holds no shard yet.
func (s *shards) Consumer() *Sharded { return &Sharded{shards: s} }

// Kill ends this consumer as the end of its process would: its shards are free
// after two seconds, its deliveries when their leases run out, and whatever it
// is asked for fails.
func (c *Sharded) Kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.died.IsZero() {
		c.died = c.now()
		c.wake()
	}
}

// Hold makes Receive take from these shards and from no others.
func (c *Sharded) Hold(ctx context.Context, wanted queue.Shards) error {
	if err := c.alive(ctx, "hold shards"); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted = wanted
	for shard, holder := range &c.holder {
		if holder == c && !wanted.Has(shard) {
			c.holder[shard] = nil
		}
	}
	c.wake()
	return nil
}

// Receive takes at most limit messages of the shards that this consumer holds,
// waiting up to wait for the first. The wait is real time, whatever Options.Now
// says. A shard that it wants is its own from the first Receive that finds it free.
func (c *Sharded) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Delivery, error) {
	return c.receive(ctx, limit, wait, c.held)
}

// held takes what is free of what is wanted, and lists the boxes of what is held.
func (c *Sharded) held(now time.Time) (boxes []*box, more time.Time, err error) {
	if !c.died.IsZero() {
		return nil, more, errDied
	}
	for shard := range c.wanted.All() {
		holder := c.holder[shard]
		if holder == nil || !holder.died.IsZero() && !now.Before(holder.died.Add(deadAfter)) {
			holder, c.holder[shard] = c, c
		}
		switch {
		case holder == c:
			boxes = append(boxes, c.boxes[shard])
		case !holder.died.IsZero() && (more.IsZero() || holder.died.Add(deadAfter).Before(more)):
			more = holder.died.Add(deadAfter)
		}
	}
	return boxes, more, nil
}

var errDied = fmt.Errorf("%w: this consumer was killed", queue.ErrUnavailable)

// alive is the error of a call that must not do anything.
func (c *Sharded) alive(ctx context.Context, what string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.died.IsZero() {
		return fmt.Errorf("%s: %w", what, errDied)
	}
	return nil
}

// Send stores the messages, each in the shard of its key; it never waits.
func (c *Sharded) Send(ctx context.Context, messages ...queue.Message) error {
	if err := c.alive(ctx, "send to queue"); err != nil {
		return err
	}
	return c.send(ctx, messages, func(m queue.Message) *box { return c.boxes[queue.ShardOf(m.Key)] })
}

// Ack removes deliveries for good, also when somebody else holds them by now.
func (c *Sharded) Ack(ctx context.Context, deliveries ...queue.Delivery) error {
	if err := c.alive(ctx, "ack"); err != nil {
		return err
	}
	return c.each(ctx, "ack", deliveries, func(it *item, _ queue.Delivery) { c.remove(it) })
}

// Extend starts the lease of each delivery anew. A delivery that was handed to
// somebody else since is left alone.
func (c *Sharded) Extend(ctx context.Context, deliveries ...queue.Delivery) error {
	if err := c.alive(ctx, "extend"); err != nil {
		return err
	}
	return c.each(ctx, "extend", deliveries, c.renew())
}

// Purge removes all messages of a key, leased ones included.
func (c *Sharded) Purge(ctx context.Context, key string) error {
	if err := c.alive(ctx, "purge"); err != nil {
		return err
	}
	return c.store.Purge(ctx, key)
}

// Pending counts the messages of a key that are not acked.
func (c *Sharded) Pending(ctx context.Context, key string) (int, error) {
	if err := c.alive(ctx, "count pending messages"); err != nil {
		return 0, err
	}
	return c.store.Pending(ctx, key)
}
