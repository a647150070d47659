package blob

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// sweepers is how many blobs are removed at a time, for the sake of stores far away.
const sweepers = 8

// Sweep removes blobs; gone, if not nil, hears of each, one at a time. One that
// is not there any more, because another sweep was faster, is no error. In a
// directory the folders of their executions go too, once they are empty; with
// `all` those above them as well, for which nobody may be writing there.
func (s *Store) Sweep(ctx context.Context, objects []Object, all bool, gone func(Object)) error {
	return s.removeEach(ctx, objects, all, nil, gone)
}

// removeEach removes those objects which still may go when it is their turn.
func (s *Store) removeEach(ctx context.Context, objects []Object, all bool, may func(context.Context, Object) (bool, error), gone func(Object)) error {
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(sweepers)
	var mu sync.Mutex
	for _, o := range objects {
		group.Go(func() error {
			if err := each.Err(); err != nil {
				return err
			}
			if may != nil {
				if ok, err := may(each, o); !ok || err != nil {
					return err
				}
			}
			if err := s.Remove(each, o.Key); err != nil {
				return err
			}
			s.dropFolders(o.Key, all)
			mu.Lock()
			defer mu.Unlock()
			if gone != nil {
				gone(o)
			}
			return nil
		})
	}
	return group.Wait()
}
