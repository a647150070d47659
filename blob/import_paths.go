package blob

import (
	"context"
	"fmt"
	"sync"

	"github.com/deedrun/deed/task"
	"golang.org/x/sync/errgroup"
)

// importers is how many files are imported at a time: enough to hide the
// latency of a store far away, few enough for a laptop's disk.
const importers = 4

// ImportPaths imports files, a few at a time, and returns their parts in the
// order of files. The first error ends it; what was stored by then is found
// again by the next try. progress, if not nil, is called after each file, never
// concurrently, with the files done, of how many, and the bytes they have.
func (s *Store) ImportPaths(ctx context.Context, files []File, progress func(done, total int, bytes int64)) ([]task.Part, error) {
	imported := make([]task.Part, len(files))
	var mu sync.Mutex
	var done int
	var bytes int64
	group, running := errgroup.WithContext(ctx)
	group.SetLimit(importers)
	for i, file := range files {
		if running.Err() != nil {
			break
		}
		group.Go(func() error {
			ref, err := s.ImportFile(running, file.Path)
			if err != nil {
				return err
			}
			imported[i] = task.Part{Key: file.Key, Name: file.Name, Ref: &ref}
			mu.Lock()
			defer mu.Unlock()
			done++
			bytes += ref.Size
			if progress != nil {
				progress(done, len(files), bytes)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("import files: %w", err)
	}
	return imported, nil
}
