package blob

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/deedrun/deed/task"
)

// importers is how many files are imported at a time: enough to hide the
// latency of a store far away, few enough for a laptop's disk.
const importers = 4

// ImportPaths imports files, a few at a time, and returns their parts in the
// order of files. The first error ends it; what was stored by then is found
// again by the next try. progress, if not nil, is called after each file, never
// concurrently, with the files done, of how many, and the bytes they have.
func (s *Store) ImportPaths(ctx context.Context, files []File, progress func(done, total int, bytes int64)) ([]task.Part, error) {
	parts, err := many(ctx, len(files), importers, progress, func(ctx context.Context, i int) (task.Part, error) {
		ref, err := s.ImportFile(ctx, files[i].Path)
		return task.Part{Key: files[i].Key, Name: files[i].Name, Ref: &ref}, err
	})
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("import files: %w", err)
	}
	return parts, nil
}

// many makes n parts, a few at a time. The first error ends it.
func many(ctx context.Context, n, atOnce int, progress func(done, total int, bytes int64), each func(context.Context, int) (task.Part, error)) ([]task.Part, error) {
	parts := make([]task.Part, n)
	var mu sync.Mutex
	done, bytes := 0, int64(0)
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range n {
		group.Go(func() error {
			if err := within.Err(); err != nil {
				return err
			}
			p, err := each(within, i)
			if err != nil {
				return err
			}
			parts[i] = p
			mu.Lock()
			defer mu.Unlock()
			done, bytes = done+1, bytes+p.Size()
			if progress != nil {
				progress(done, n, bytes)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return parts, nil
}
