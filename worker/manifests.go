package worker

import (
	"context"
	"slices"
	"sync"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// openManifests is how many manifests a worker keeps open: each holds an index
// and a few chunks, and all tasks of a step read the same ones.
const openManifests = 8

// manifests opens lists of parts, and keeps those used last.
type manifests struct {
	blobs *blob.Store

	mu   sync.Mutex
	kept []openManifest // the one used last at the end
}

type openManifest struct {
	name   task.Manifest
	reader *blob.ManifestReader
}

func (m *manifests) open(ctx context.Context, name task.Manifest) (*blob.ManifestReader, error) {
	if reader := m.find(name); reader != nil {
		return reader, nil
	}
	reader, err := m.blobs.OpenManifest(ctx, name)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.kept { // another task opened it meanwhile: of two, each would read what the other has
		if k.name == name {
			return k.reader, nil
		}
	}
	if len(m.kept) >= openManifests {
		m.kept = slices.Delete(m.kept, 0, 1)
	}
	m.kept = append(m.kept, openManifest{name, reader})
	return reader, nil
}

func (m *manifests) find(name task.Manifest) *blob.ManifestReader {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, k := range m.kept {
		if k.name == name {
			m.kept = append(slices.Delete(m.kept, i, i+1), k)
			return k.reader
		}
	}
	return nil
}
