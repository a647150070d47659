package blob

import (
	"context"
	"fmt"
	"sync"

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
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	m := &importing{store: s, files: files, parts: make([]task.Part, len(files)), progress: progress}
	var group sync.WaitGroup
	for range min(importers, len(files)) {
		group.Go(func() {
			if err := m.run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("import files: %w", context.Cause(ctx))
	}
	return m.parts, nil
}

// importing is one call of ImportPaths, shared by its goroutines.
type importing struct {
	store    *Store
	files    []File
	parts    []task.Part // each goroutine writes the places it took
	progress func(done, total int, bytes int64)

	mu    sync.Mutex
	taken int
	done  int
	bytes int64
}

func (m *importing) run(ctx context.Context) error {
	for ctx.Err() == nil {
		i, ok := m.take()
		if !ok {
			return nil
		}
		ref, err := m.store.ImportFile(ctx, m.files[i].Path)
		if err != nil {
			return err
		}
		m.parts[i] = task.Part{Key: m.files[i].Key, Name: m.files[i].Name, Ref: &ref}
		m.report(ref.Size)
	}
	return ctx.Err()
}

func (m *importing) take() (i int, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taken++
	return m.taken - 1, m.taken <= len(m.files)
}

func (m *importing) report(size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done++
	m.bytes += size
	if m.progress != nil {
		m.progress(m.done, len(m.files), m.bytes)
	}
}
