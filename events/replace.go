package events

import (
	"context"
	"fmt"
)

// Replace appends a commit in place of all that the stream holds: the stream
// goes on with the next version, but begins with this commit from then on, and
// what was before it is forgotten. It is for a history that has been moved
// elsewhere; the commit says where.
//
// It is an [Store.Append] and then a [Store.Truncate]. Should only the first
// come to be, nothing is lost and the stream still reads as a whole; the same
// Replace again, or Truncate, does the rest.
func (s *Store) Replace(ctx context.Context, stream string, expected Expected, commitID string, records ...Record) (uint64, error) {
	version, err := s.append(ctx, stream, expected, Commit{ID: commitID, Events: records, Begins: true})
	if err != nil {
		return 0, err
	}
	return version, s.Truncate(ctx, stream)
}

// Truncate forgets what is before the last commit of a stream, which must be
// one of Replace; doing it again is harmless. Readers of the stream begin with
// that commit from then on. Subscribers may be fed what was before it for as
// long as the backend has not cleared up.
func (s *Store) Truncate(ctx context.Context, stream string) error {
	last, ok, err := s.Last(ctx, stream)
	switch {
	case err != nil:
		return err
	case !ok || !last.Begins:
		return fmt.Errorf("truncate stream %q: its last commit was not made to replace what is before it", stream)
	}
	return s.driver.Truncate(ctx, stream, last.First)
}
