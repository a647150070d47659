package nats

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// makeOver turns a plain stream that an earlier version made into one of
// another form. The messages in it are dropped: whoever sent them sends them
// again. They go before the consumer does, by which the stream is known: a
// make-over that was broken off is done again.
func (s *stream) makeOver(ctx context.Context) error {
	if s.stored.CachedInfo().State.Consumers == 0 {
		return nil
	}
	return untilAvailable(ctx, func(ctx context.Context) error {
		_, err := s.stored.Consumer(ctx, sharedName)
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.stored.Purge(ctx, jetstream.WithPurgeSubject(s.prefix+"*")); err != nil {
			return err
		}
		err = s.stored.DeleteConsumer(ctx, sharedName)
		if errors.Is(err, jetstream.ErrConsumerNotFound) { // somebody else did it
			return nil
		}
		return err
	})
}
