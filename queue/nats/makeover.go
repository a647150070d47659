package nats

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

var errEarlier = errors.New("an earlier version of deed made it and may still use it: stop what runs of that version, or go on with that version")

// makeOver turns a plain stream that an earlier version made into one of
// another form. The messages in it are dropped: whoever sent them sends them
// again. They go before the consumer does, by which the stream is known: a
// make-over that was broken off is done again.
//
// Whoever uses the stream in its old form can go on no more, so that only who
// knows that nobody does may have it made over.
func (s *stream) makeOver(ctx context.Context, may bool) error {
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
		if !may {
			return fmt.Errorf("stream %q: %w", s.stored.CachedInfo().Config.Name, errEarlier)
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
