package standard

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"slices"
)

// runBuffer is what a run is written and read by: many are open at a time.
const runBuffer = 64 << 10

// runWriter writes a sorted run to a file: the lengths of key and record, then both;
// of whole records the key is the beginning.
type runWriter struct {
	file  *os.File
	to    *bufio.Writer
	whole bool
	begin []byte
}

func writeRun(name string, whole bool) (*runWriter, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &runWriter{file: file, to: bufio.NewWriterSize(file, runBuffer), whole: whole}, nil
}

func (w *runWriter) put(p pair) error {
	w.begin = binary.AppendUvarint(w.begin[:0], uint64(len(p.key)))
	w.begin = binary.AppendUvarint(w.begin, uint64(len(p.record)))
	_, _ = w.to.Write(w.begin) // an error comes again
	if !w.whole {
		_, _ = w.to.Write(p.key)
	}
	_, err := w.to.Write(p.record)
	return err
}

func (w *runWriter) Close() error { return closing(w.to.Flush(), w.file) }

// runReader reads it.
type runReader struct {
	file  *os.File
	from  *bufio.Reader
	whole bool
	both  []byte
}

func readRun(name string, whole bool) (*runReader, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return &runReader{file: file, from: bufio.NewReaderSize(file, runBuffer), whole: whole}, nil
}

// next is valid until the next call.
func (r *runReader) next() (pair, error) {
	k, err := binary.ReadUvarint(r.from)
	if err != nil { // io.EOF between records, io.ErrUnexpectedEOF inside
		return pair{}, err
	}
	n, err := binary.ReadUvarint(r.from)
	if err != nil {
		return pair{}, broken(err)
	}
	key, all := int(k), int(n)
	if !r.whole {
		all += key
	}
	r.both = slices.Grow(r.both[:0], all)[:all]
	if _, err := io.ReadFull(r.from, r.both); err != nil {
		return pair{}, broken(err)
	}
	if r.whole {
		return pair{r.both[:key], r.both}, nil
	}
	return pair{r.both[:key], r.both[key:]}, nil
}

// broken keeps the end of a file that comes too early from passing for its end.
func broken(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *runReader) Close() error { return r.file.Close() }
