package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/deedrun/deed/task"
)

// ManifestReader reads a stored list of parts, in any order, a chunk at a
// time. It is safe for concurrent use, holds the index and a few chunks, and
// needs no closing. Parts it returns share memory: they must not be changed.
type ManifestReader struct {
	store    *Store
	manifest task.Manifest
	index    *manifestIndex
	cache    *chunkCache
}

// OpenManifest reads and verifies the index of a manifest, not its entries.
// Here and in every method, bytes that are not those that m names are a
// *[CorruptError], and a manifest that is not there wraps [ErrNotFound].
func (s *Store) OpenManifest(ctx context.Context, m task.Manifest) (*ManifestReader, error) {
	if err := checkManifest(m); err != nil {
		return nil, fmt.Errorf("open manifest: %w", err)
	}
	section, err := s.section(ctx, m.Ref, m.IndexOffset, m.IndexSize)
	if err != nil {
		return nil, fmt.Errorf("open manifest: %w", err)
	}
	ref := task.Ref{Key: m.Key, Size: m.IndexSize, SHA256: m.IndexSHA256}
	v := &verified{ctx: ctx, r: section, ref: ref, hash: sha256.New()}
	defer v.Close()
	index, err := readIndex(v, m.IndexOffset)
	if err != nil {
		return nil, fmt.Errorf("open manifest %q: its index: %w", m.Key, err)
	}
	return &ManifestReader{store: s, manifest: m, index: index, cache: newChunkCache()}, nil
}

func checkManifest(m task.Manifest) error {
	if err := checkRef(m.Ref); err != nil {
		return err
	}
	if m.IndexOffset < 0 || m.IndexSize <= 0 || m.IndexOffset > m.Size || m.IndexSize != m.Size-m.IndexOffset {
		return fmt.Errorf("manifest %q: an index of %d bytes at %d is not the end of %d bytes", m.Key, m.IndexSize, m.IndexOffset, m.Size)
	}
	return checkSHA256(m.Key, m.IndexSHA256)
}

// Count is the number of parts.
func (r *ManifestReader) Count() int { return r.index.count }

// Keys is the number of distinct keys.
func (r *ManifestReader) Keys() int { return len(r.index.keys) }

// Part is part i of the list, from 0.
func (r *ManifestReader) Part(ctx context.Context, i int) (task.Part, error) {
	first, entries, err := r.Around(ctx, i)
	if err != nil {
		return task.Part{}, err
	}
	return entries[i-first].Part, nil
}

// chunkOf is the chunk that holds entry i.
func (x *manifestIndex) chunkOf(i int) int {
	return sort.Search(len(x.chunks), func(c int) bool { return x.chunks[c].First > i }) - 1
}

// chunkCount is the number of entries in a chunk.
func (x *manifestIndex) chunkCount(c int) int {
	if c+1 < len(x.chunks) {
		return x.chunks[c+1].First - x.chunks[c].First
	}
	return x.count - x.chunks[c].First
}

// chunk returns the entries of a chunk, from the cache if it is there.
func (r *ManifestReader) chunk(ctx context.Context, c int) ([]Entry, error) {
	return r.cache.get(ctx, c, func() ([]Entry, error) {
		at := r.index.chunks[c]
		section, err := r.store.section(ctx, r.manifest.Ref, at.Offset, at.Length)
		if err != nil {
			return nil, err
		}
		defer section.Close()
		return r.readChunk(ctx, section, c)
	})
}

// readChunk reads chunk c from a stream that stands at its beginning.
func (r *ManifestReader) readChunk(ctx context.Context, from io.Reader, c int) ([]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read manifest %q: %w", r.manifest.Key, err)
	}
	at := r.index.chunks[c]
	data := make([]byte, at.Length)
	n, err := io.ReadFull(from, data)
	where := fmt.Sprintf(" in the %d bytes at %d", at.Length, at.Offset)
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, &CorruptError{Key: r.manifest.Key, Want: fmt.Sprintf("%d bytes", at.Length), Got: fmt.Sprintf("%d%s", n, where)}
	}
	if err != nil {
		return nil, readError("read manifest", r.manifest.Key, err)
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != at.SHA256 {
		return nil, &CorruptError{Key: r.manifest.Key, Want: "SHA-256 " + at.SHA256 + where, Got: "SHA-256 " + got}
	}
	entries, err := decodeChunk(data, r.index.chunkCount(c))
	if err != nil {
		return nil, fmt.Errorf("read manifest %q: chunk %d: %w", r.manifest.Key, c, err)
	}
	return entries, nil
}

func decodeChunk(data []byte, count int) ([]Entry, error) {
	if n := bytes.Count(data, []byte{'\n'}); n != count {
		return nil, fmt.Errorf("it has %d entries, the index says %d", n, count)
	}
	entries := make([]Entry, 0, count)
	for line := range bytes.Lines(data) {
		e, err := decodeEntry(line)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", len(entries), err)
		}
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("entry %d: %w", len(entries), err)
		}
		entries = append(entries, e)
	}
	if len(entries) != count {
		return nil, errors.New("its last entry is torn")
	}
	return entries, nil
}

// Around is part i of the list with those beside it, which are read together: the
// first of them is part first.
func (r *ManifestReader) Around(ctx context.Context, i int) (first int, entries []Entry, err error) {
	if i < 0 || i >= r.index.count {
		return 0, nil, fmt.Errorf("manifest %q: there is no part %d of %d", r.manifest.Key, i, r.index.count)
	}
	c := r.index.chunkOf(i)
	entries, err = r.chunk(ctx, c)
	return r.index.chunks[c].First, entries, err
}
