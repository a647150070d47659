package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/deedrun/deed/task"
)

// manifestEncoder writes the bytes of a manifest. It holds one chunk and the
// index, never the list.
type manifestEncoder struct {
	w      io.Writer
	buf    []byte // the chunk being filled
	first  int    // its first entry
	offset int64  // where it begins
	index  manifestIndex
	last   Entry
	bytes  int64
	digest *task.Digest
}

func newManifestEncoder(w io.Writer) *manifestEncoder {
	return &manifestEncoder{w: w, digest: task.NewDigest()}
}

func (m *manifestEncoder) add(e Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	part, err := normal(e.Part)
	if err != nil {
		return err
	}
	e.Part = part
	if m.index.count > 0 {
		switch order := m.last.compare(e); {
		case order == 0:
			return fmt.Errorf("%v comes twice: two sources speak for the same task", e)
		case order > 0:
			return fmt.Errorf("%v comes after %v: entries must be ordered by key, index and ordinal", e, m.last)
		}
	}
	with, err := encodeEntry(m.buf, e)
	if err != nil {
		return fmt.Errorf("%v: %w", e, err)
	}
	m.count(e)
	m.buf = with
	if m.index.count-m.first >= chunkEntries || len(m.buf) >= chunkBytes {
		return m.flush()
	}
	return nil
}

func (m *manifestEncoder) count(e Entry) {
	if n := len(m.index.keys); n > 0 && m.index.keys[n-1].Key == e.Key {
		m.index.keys[n-1].Count++
	} else {
		m.index.keys = append(m.index.keys, keySpan{Key: e.Key, First: m.index.count, Count: 1})
	}
	m.index.count++
	m.bytes += e.Size()
	m.digest.Add(e.Part)
	m.last = e
}

func (m *manifestEncoder) flush() error {
	if len(m.buf) == 0 {
		return nil
	}
	sum := sha256.Sum256(m.buf)
	m.index.chunks = append(m.index.chunks, chunk{
		First: m.first, Offset: m.offset, Length: int64(len(m.buf)), SHA256: hex.EncodeToString(sum[:]),
	})
	if _, err := m.w.Write(m.buf); err != nil {
		return err
	}
	m.offset += int64(len(m.buf))
	m.first = m.index.count
	m.buf = m.buf[:0]
	return nil
}

// finish writes the index. The Manifest it returns lacks the Ref of the blob.
func (m *manifestEncoder) finish() (task.Manifest, error) {
	if err := m.flush(); err != nil {
		return task.Manifest{}, err
	}
	sum := sha256.New()
	size := &counter{}
	if err := m.index.write(io.MultiWriter(m.w, sum, size)); err != nil {
		return task.Manifest{}, err
	}
	return task.Manifest{
		IndexOffset: m.offset,
		IndexSize:   size.n,
		IndexSHA256: hex.EncodeToString(sum.Sum(nil)),
	}, nil
}

// dataset describes the list without saying where it lies.
func (m *manifestEncoder) dataset() task.Dataset {
	return task.Dataset{Count: m.index.count, Keys: len(m.index.keys), Bytes: m.bytes, Digest: m.digest.Sum()}
}

// counter is a writer that counts bytes.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
