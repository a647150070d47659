package mem

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/deedrun/deed/queue"
)

// Options of a queue; the zero value is useful.
type Options struct {
	Lease   time.Duration    // 0: 10 s
	Now     func() time.Time // nil: time.Now
	MaxBody int              // bytes; a larger body is refused; 0: 8 MiB, as the embedded NATS server
}

// store is what the consumers of a queue share.
type store struct {
	lease   time.Duration
	now     func() time.Time
	maxBody int

	mu      sync.Mutex
	boxes   []*box
	perKey  map[string]int
	turn    uint64
	sent    uint64        // messages so far
	changed chan struct{} // closed when there may be more to take, for those that wait; nil: nobody waits
}

func newStore(o Options) *store {
	if o.Lease <= 0 {
		o.Lease = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 8 << 20
	}
	return &store{lease: o.Lease, now: o.Now, maxBody: o.MaxBody, perKey: map[string]int{}}
}

// Lease is how long a delivery belongs to its consumer without Extend.
func (s *store) Lease() time.Duration { return s.lease }

// send stores messages, each in the box that file says; it never waits. The
// store is locked while file runs.
func (s *store) send(ctx context.Context, messages []queue.Message, file func(queue.Message) *box) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("send to queue: %w", err)
	}
	for i, m := range messages {
		if err := m.Check(); err != nil {
			return fmt.Errorf("send to queue: message %d of %d: %w", i+1, len(messages), err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	now := s.now()
	for i, m := range messages {
		if len(m.Body) > s.maxBody {
			return fmt.Errorf("send to queue: message %d of %d, key %q: %w: %d bytes, at most %d are accepted",
				i+1, len(messages), m.Key, queue.ErrTooLarge, len(m.Body), s.maxBody)
		}
		s.sent++
		file(m).add(&item{number: s.sent, sent: now, lane: laneOf(m.Lane), key: m.Key, body: bytes.Clone(m.Body), trace: m.Trace, at: notLeased})
		s.perKey[m.Key]++
	}
	return nil
}

func (s *store) wake() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// each does something to the items of deliveries that are still in the queue.
func (s *store) each(ctx context.Context, what string, deliveries []queue.Delivery, do func(*item, queue.Delivery)) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range deliveries {
		if it, ok := d.Token.(*item); !ok || !slices.Contains(s.boxes, it.box) {
			return fmt.Errorf("%s message of key %q: it was not received from this queue", what, d.Key)
		}
	}
	for _, d := range deliveries {
		if it := d.Token.(*item); it.at >= 0 {
			do(it, d)
		}
	}
	return nil
}

// remove takes a message out for good.
func (s *store) remove(it *item) {
	it.box.drop(it)
	if s.perKey[it.key]--; s.perKey[it.key] <= 0 {
		delete(s.perKey, it.key)
	}
}

// Purge removes all messages of a key, leased ones included.
func (s *store) Purge(ctx context.Context, key string) error {
	if err := checkCall(ctx, "purge", key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.boxes {
		b.dropKey(key)
	}
	delete(s.perKey, key)
	return nil
}

// Pending counts the messages of a key that are not acked.
func (s *store) Pending(ctx context.Context, key string) (int, error) {
	if err := checkCall(ctx, "count pending messages", key); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.perKey[key], nil
}

// items yields what is stored, in no order.
func (s *store) items() iter.Seq[*item] {
	return func(yield func(*item) bool) {
		for _, b := range s.boxes {
			for _, it := range slices.Concat(b.ready, b.leased) {
				if !yield(it) {
					return
				}
			}
		}
	}
}

func checkCall(ctx context.Context, what, key string) error {
	if err := queue.CheckKey(key); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
