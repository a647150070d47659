package nats

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/internal/natsconn"
)

const (
	// maxLeased bounds the messages on lease at a time over all who receive from
	// a consumer: each costs the server memory. More stay queued.
	maxLeased = 100_000

	// maxWaiting is how many Receives may wait at a time at a consumer. The
	// server fixes it when it creates one.
	maxWaiting = 16_384
)

// consumer is the server's side of those who receive the same messages.
type consumer struct {
	*stream
	config jetstream.ConsumerConfig
	next   string // the subject that asks it for messages
	unpin  string // the subject that frees it from who is pinned
}

// consumer describes one by its durable name and the subjects it takes; it is
// there after ensure.
func (s *stream) consumer(name, filter string) *consumer {
	at := s.stored.CachedInfo().Config.Name + "." + name
	return &consumer{
		stream: s,
		config: jetstream.ConsumerConfig{
			Durable:       name,
			FilterSubject: filter,
			AckPolicy:     jetstream.AckExplicitPolicy,
			MaxDeliver:    -1,
			MaxAckPending: maxLeased,
			MaxWaiting:    maxWaiting,
		},
		next:  "$JS.API.CONSUMER.MSG.NEXT." + at,
		unpin: "$JS.API.CONSUMER.UNPIN." + at,
	}
}

// ensure creates it, or sets the lease of the one that is there.
func (c *consumer) ensure(ctx context.Context) error {
	return untilAvailable(ctx, c.ensureOnce)
}

func (c *consumer) ensureOnce(ctx context.Context) error {
	config := c.config
	config.AckWait = c.lease
	_, err := c.stored.CreateOrUpdateConsumer(ctx, config)
	return err
}

// ensureAgain creates a consumer that seems to be missing, because somebody
// deleted it, or because it was in the memory of a server that started anew. If
// that is not so, or does not work now, the next request will tell. One that
// others look after they make again.
func (c *consumer) ensureAgain(ctx context.Context) {
	if c.stored == nil {
		return
	}
	call, cancel := natsconn.Call(ctx, c.nc, 2*time.Second)
	defer cancel()
	_ = c.ensureOnce(call)
}
