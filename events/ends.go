package events

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Ends yields the last commit of every stream whose name starts with prefix, in
// any order. It ends with the first error; that the end of a stream is damaged
// is none: such a stream is yielded as a commit without events, and reading it
// says what is wrong.
func (s *Store) Ends(ctx context.Context, prefix string) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield(Commit{}, fmt.Errorf("read the ends of streams %q: %w", prefix, err))
			return
		}
		for c, err := range s.ends(ctx, prefix) {
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

func (s *Store) ends(ctx context.Context, prefix string) iter.Seq2[Commit, error] {
	if d, ok := s.driver.(EndsDriver); ok {
		return d.Ends(ctx, prefix)
	}
	return func(yield func(Commit, error) bool) {
		streams, err := s.driver.Streams(ctx, prefix)
		if err != nil {
			yield(Commit{}, err)
			return
		}
		for _, stream := range streams {
			c, ok, err := s.driver.Last(ctx, stream)
			if damaged := new(DamagedError); errors.As(err, &damaged) {
				c, ok, err = Commit{Stream: stream}, true, nil
			}
			if (ok || err != nil) && !yield(c, err) {
				return
			}
		}
	}
}
