package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

// Pending counts the messages of a key that are not acked, leased ones
// included. An ack may take a moment to show.
//
// A server that is killed may find messages in its folder again whose acks it
// knows: it never delivers them, and would keep them for ever. They lie at or
// below the sequence up to which all is acked, so they are removed here, and do
// not count.
func (s *stream) Pending(ctx context.Context, key string) (int, error) {
	if err := queue.CheckKey(key); err != nil {
		return 0, fmt.Errorf("count messages of queue %q: %w", s.name, err)
	}
	s.Flush()
	count := 0
	for _, subject := range s.form.ofKey(key) {
		n, err := s.pending(ctx, jetstream.WithSubjectFilter(s.prefix+subject))
		if err != nil {
			return 0, s.failed(ctx, "count messages of key "+key+" in", err)
		}
		count += n
	}
	return count, nil
}

func (s *stream) pending(ctx context.Context, ofKey jetstream.StreamInfoOpt) (int, error) {
	ctx, cancel := natsconn.Call(ctx, s.nc, callWithin)
	defer cancel()
	there, err := s.stored.Info(ctx, ofKey)
	if err != nil {
		return 0, err
	}
	removed := false
	for subject := range there.State.Subjects {
		name, filter := s.consumerOf(subject)
		some, err := s.removeAcked(ctx, name, filter, there.State.FirstSeq)
		if err != nil {
			return 0, err
		}
		removed = removed || some
	}
	if removed {
		if there, err = s.stored.Info(ctx, ofKey); err != nil {
			return 0, err
		}
	}
	n := uint64(0)
	for _, count := range there.State.Subjects {
		n += count
	}
	return int(n), nil
}

// consumerOf is which consumer takes what lies at a subject of this queue, and
// its filter.
func (s *stream) consumerOf(subject string) (name, filter string) {
	message, _ := s.form.read(strings.TrimPrefix(subject, s.prefix))
	switch s.form {
	case inLanes:
		return laneConsumer(laneOf(message)), s.laneFilter(laneOf(message))
	case inShards:
		return shardConsumer(queue.ShardOf(message.Key)), s.shardFilter(queue.ShardOf(message.Key))
	default:
		return sharedName, s.prefix + ">"
	}
}

// removeAcked removes what a consumer was acked and the stream still has. Of
// the stream's sequences those before first are gone.
func (s *stream) removeAcked(ctx context.Context, consumer, filter string, first uint64) (removed bool, err error) {
	there, err := s.stored.Consumer(ctx, consumer)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return false, nil // nobody has received from it yet
	}
	if err != nil {
		return false, err
	}
	acked := there.CachedInfo().AckFloor.Stream
	if acked < first {
		return false, nil
	}
	return true, s.stored.Purge(ctx, jetstream.WithPurgeSubject(filter), jetstream.WithPurgeSequence(acked+1))
}
