package blob

import (
	"context"
	"fmt"

	"github.com/deedrun/deed/task"
)

// ManifestWriter writes a list of parts that is too long to hold. Either Close
// or Abort must be called; Abort after Close does nothing. Not safe for
// concurrent use.
type ManifestWriter struct {
	w   *Writer
	enc *manifestEncoder
	err error
}

// NewManifest starts a manifest under a key that does not exist yet. ctx must
// stay valid until Close.
func (s *Store) NewManifest(ctx context.Context, key string) (*ManifestWriter, error) {
	w, err := s.Create(ctx, key)
	if err != nil {
		return nil, err
	}
	return &ManifestWriter{w: w, enc: newManifestEncoder(w)}, nil
}

// Add appends an entry. Entries come ordered by (key, index, ordinal), keys
// bytewise, each once; anything else is an error, and after an error the
// manifest can only be aborted.
func (m *ManifestWriter) Add(e Entry) error {
	if m.err != nil {
		return m.err
	}
	if err := m.enc.add(e); err != nil {
		m.err = fmt.Errorf("write manifest %q: entry %d: %w", m.w.key, m.enc.index.count, err)
	}
	return m.err
}

// Close finishes the manifest and describes the list. A list without entries
// leaves no blob behind, and its Dataset has no Manifest.
func (m *ManifestWriter) Close() (task.Dataset, error) {
	defer m.w.Abort()
	if m.err != nil {
		return task.Dataset{}, m.err
	}
	m.err = fmt.Errorf("write manifest %q: it is closed", m.w.key)
	data := m.enc.dataset()
	if data.Count == 0 {
		return data, nil
	}
	manifest, err := m.enc.finish()
	if err != nil {
		return task.Dataset{}, fmt.Errorf("write manifest %q: %w", m.w.key, err)
	}
	if err := m.w.Close(); err != nil {
		return task.Dataset{}, err
	}
	manifest.Ref = m.w.Ref()
	data.Manifest = &manifest
	return data, nil
}

// Abort discards the manifest, unless Close ended it before.
func (m *ManifestWriter) Abort() { m.w.Abort() }
