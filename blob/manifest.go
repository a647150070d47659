package blob

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/deedrun/deed/task"
)

// A manifest is JSON lines: first the entries, in chunks, then the index, which
// has a header, a line for each chunk and a line for each distinct key.
// task.Manifest carries the SHA-256 of the index, the index that of each chunk,
// so that any chunk can be read and verified without the rest.
const (
	manifestFormat = 1
	chunkEntries   = 256      // a chunk ends after so many entries,
	chunkBytes     = 64 << 10 // or once it has so many bytes
	maxChunk       = chunkBytes + maxReadLine
)

// Entry is a part in a manifest: which task wrote it, and its place, from 0,
// among what that task wrote.
type Entry struct {
	Index   int `json:"index"`
	Ordinal int `json:"ordinal"`
	task.Part
}

// compare orders entries by (key, index, ordinal); keys bytewise.
func (e Entry) compare(other Entry) int {
	return cmp.Or(
		strings.Compare(e.Key, other.Key),
		cmp.Compare(e.Index, other.Index),
		cmp.Compare(e.Ordinal, other.Ordinal),
	)
}

func (e Entry) String() string {
	return fmt.Sprintf("part %d of task %d, key %q", e.Ordinal, e.Index, clip(e.Key))
}

func (e Entry) check() error {
	if err := checkIndex(e.Index); err != nil {
		return err
	}
	if e.Ordinal < 0 {
		return fmt.Errorf("the ordinal %d is negative", e.Ordinal)
	}
	return checkPart(e.Part)
}

// indexHeader is the first line of the index.
type indexHeader struct {
	Manifest int `json:"manifest"` // the format
	Count    int `json:"count"`
	Chunks   int `json:"chunks"`
	Keys     int `json:"keys"`
}

// chunk says where a run of entries lies.
type chunk struct {
	First  int    `json:"first"` // entry
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	SHA256 string `json:"sha256"`
}

// keySpan says which entries a distinct key has.
type keySpan struct {
	Key   string `json:"key"`
	First int    `json:"first"`
	Count int    `json:"count"`
}

// manifestIndex is what is known of a manifest without its entries.
type manifestIndex struct {
	count  int
	chunks []chunk
	keys   []keySpan
}

func (x *manifestIndex) write(w io.Writer) error {
	if err := writeLine(w, indexHeader{manifestFormat, x.count, len(x.chunks), len(x.keys)}); err != nil {
		return err
	}
	for _, c := range x.chunks {
		if err := writeLine(w, c); err != nil {
			return err
		}
	}
	for _, k := range x.keys {
		if err := writeLine(w, k); err != nil {
			return err
		}
	}
	return nil
}

func writeLine(w io.Writer, v any) error {
	line, err := encodeLine(v)
	if err != nil {
		return err
	}
	_, err = w.Write(line)
	return err
}

// readIndex decodes an index and checks that it describes a list: chunks and
// keys without gaps, that end where the index begins. It is not to be trusted
// before r was read to its end without error, which readIndex does.
func readIndex(r io.Reader, indexOffset int64) (*manifestIndex, error) {
	lines := newLineReader(r)
	var header indexHeader
	if err := lines.next(&header); err != nil {
		return nil, incomplete(err)
	}
	if header.Manifest != manifestFormat {
		return nil, lines.check(fmt.Errorf("format %d is not known to this version", header.Manifest))
	}
	x := &manifestIndex{}
	for range header.Chunks {
		var c chunk
		if err := lines.next(&c); err != nil {
			return nil, incomplete(err)
		}
		if err := lines.check(x.addChunk(c)); err != nil {
			return nil, err
		}
	}
	for range header.Keys {
		var k keySpan
		if err := lines.next(&k); err != nil {
			return nil, incomplete(err)
		}
		if err := lines.check(x.addKey(k)); err != nil {
			return nil, err
		}
	}
	switch err := lines.next(&json.RawMessage{}); {
	case err == nil:
		return nil, lines.check(fmt.Errorf("more lines than the header announces"))
	case err != io.EOF:
		return nil, err
	}
	return x, x.checkTotals(header, indexOffset)
}

func (x *manifestIndex) addChunk(c chunk) error {
	var first int
	var offset int64
	if n := len(x.chunks); n > 0 {
		last := x.chunks[n-1]
		first, offset = last.First+1, last.Offset+last.Length
	}
	switch {
	case c.First < first, len(x.chunks) == 0 && c.First != 0, c.Offset != offset:
		return fmt.Errorf("chunk %d does not follow the one before", len(x.chunks))
	case c.Length <= 0 || c.Length > maxChunk:
		return fmt.Errorf("chunk %d has %d bytes, at most %d are allowed", len(x.chunks), c.Length, maxChunk)
	}
	x.chunks = append(x.chunks, c)
	return nil
}

func (x *manifestIndex) addKey(k keySpan) error {
	n := len(x.keys)
	if k.First != x.count || k.Count <= 0 || k.Count > task.MaxIndex || n > 0 && k.Key <= x.keys[n-1].Key {
		return fmt.Errorf("key %q does not follow the one before", clip(k.Key))
	}
	x.keys = append(x.keys, k)
	x.count += k.Count
	return nil
}

func (x *manifestIndex) checkTotals(header indexHeader, indexOffset int64) error {
	var end int64
	last := -1
	if n := len(x.chunks); n > 0 {
		end = x.chunks[n-1].Offset + x.chunks[n-1].Length
		last = x.chunks[n-1].First
	}
	switch {
	case x.count != header.Count:
		return fmt.Errorf("its keys have %d entries, the header says %d", x.count, header.Count)
	case last >= x.count:
		return fmt.Errorf("its chunks go on after the last of %d entries", x.count)
	case len(x.chunks) == 0 && x.count > 0:
		return fmt.Errorf("it has %d entries and no chunks", x.count)
	case end != indexOffset:
		return fmt.Errorf("its chunks end at %d, the index begins at %d", end, indexOffset)
	}
	return nil
}

func incomplete(err error) error {
	if err == io.EOF {
		return fmt.Errorf("it ends before the lines that the header announces")
	}
	return err
}
