package standard

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// endless is a part of a size, made while it is read; it looks at the memory that
// is in use meanwhile.
type endless struct {
	block []byte
	at    int
	left  int
	seen  *uint64
	since int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	if e.since += len(p); e.since > 2<<20 {
		e.since = 0
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		*e.seen = max(*e.seen, m.HeapAlloc)
	}
	n := copy(p[:min(len(p), e.left)], e.block[e.at:])
	e.at, e.left = (e.at+n)%len(e.block), e.left-n
	return n, nil
}

func (e *endless) Close() error { return nil }

// nowhere takes what a handler writes, and forgets it.
type nowhere struct{ bench }

func (*nowhere) Create(string, string) (io.WriteCloser, error) { return discard{}, nil }

type discard struct{ io.Writer }

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }

func TestMemoryDoesNotGrowWithTheData(t *testing.T) {
	if testing.Short() {
		t.Skip("goes through hundreds of megabytes")
	}
	var block bytes.Buffer
	for i := range 20_000 {
		fmt.Fprintf(&block, "%d,%06d,%08d\n", i%10, i*7919%20_000, i)
	}
	sorted := bytes.Repeat([]byte("0,0,0\n"), 10_000)
	small := one(t, "deed/gzip", []Part{file("a", block.String())}) // again and again, it expands as one
	for _, c := range []struct {
		handler string
		text    []byte
		size    int // several times
		most    int // of memory
		params  []string
	}{
		{"deed/split", block.Bytes(), 48 << 20, 24 << 20, []string{"records=csv", "size=1MiB"}},
		{"deed/concat", block.Bytes(), 48 << 20, 24 << 20, []string{"records=csv"}},
		{"deed/count", block.Bytes(), 48 << 20, 24 << 20, nil},
		{"deed/sort", block.Bytes(), 16 << 20, 10 << 20, []string{"memory=1MiB"}},
		{"deed/sort", block.Bytes(), 16 << 20, 10 << 20, []string{"memory=1MiB", "records=csv", "by=2 number desc,1"}},
		{"deed/partition", block.Bytes(), 16 << 20, 10 << 20, []string{"memory=1MiB", "records=csv", "by=1"}},
		{"deed/merge", sorted, 48 << 20, 24 << 20, []string{"records=csv", "by=1"}},
		{"deed/gzip", block.Bytes(), 48 << 20, 24 << 20, nil},
		{"deed/zstd", block.Bytes(), 48 << 20, 24 << 20, nil},
		{"deed/gunzip", []byte(small), 48 << 20, 24 << 20, nil},
	} {
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		var seen uint64
		left := c.size / len(c.text) * len(c.text)
		part := Part{Name: "a", Size: int64(left), Open: func() (io.ReadCloser, error) { return &endless{block: c.text, left: left, seen: &seen}, nil }}
		task := &nowhere{bench{t: t, parts: []Part{part}, params: told(t, c.handler, c.params...), asked: map[string]bool{}}}
		require.NoError(t, Handlers()[c.handler](t.Context(), task))
		require.NotZero(t, seen)
		require.Less(t, int64(seen)-int64(before.HeapAlloc), int64(c.most), "%s %v", c.handler, c.params)
	}
}
