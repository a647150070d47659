package wordcount

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/deedrun/deed/examples/wordcount/words"
	"github.com/deedrun/deed/task"
)

// buckets is into how many lists the counts of a text are dealt out.
const buckets = 16

// bufferBytes is how much is written and read at once.
const bufferBytes = 32 << 10

// bucketKey is a bucket as a key, and as a part of a file's name.
func bucketKey(bucket int) string { return fmt.Sprintf("%02d", bucket) }

// count counts the words of a text, and writes the counts of each bucket, sorted,
// to what create gives for it. A bucket without words is not created.
func count(text io.Reader, create func(bucket int) (io.WriteCloser, error)) error {
	var table words.Table
	if err := table.CountWords(text); err != nil {
		return err
	}
	var dealt [buckets][]words.Entry
	for _, e := range table.Sorted() {
		b := task.Bucket(e.Word, buckets)
		dealt[b] = append(dealt[b], e)
	}
	for b, entries := range dealt {
		if len(entries) == 0 {
			continue
		}
		out, err := create(b)
		if err != nil {
			return err
		}
		if err := write(out, entries); err != nil {
			return err
		}
	}
	return nil
}

// addUp writes the sum of lists of counts to out, sorted, and closes it.
func addUp(lists iter.Seq2[io.ReadCloser, error], out io.WriteCloser) error {
	var table words.Table
	for list, err := range lists {
		if err != nil {
			return err
		}
		if err := errors.Join(table.AddCounts(list), list.Close()); err != nil {
			return err
		}
	}
	return write(out, table.Sorted())
}

// write finishes out: only the error of Close says that it is stored.
func write(out io.WriteCloser, entries []words.Entry) error {
	buffered := bufio.NewWriterSize(out, bufferBytes)
	for _, e := range entries {
		buffered.WriteString(e.Word) // its error comes again from Flush
		buffered.WriteByte('\t')
		_, _ = buffered.Write(strconv.AppendInt(buffered.AvailableBuffer(), e.Count, 10)) // this one, too
		buffered.WriteByte('\n')
	}
	return errors.Join(buffered.Flush(), out.Close())
}

// merge writes the lines of sorted lists to out, sorted, and closes it. No word
// is in two of them.
func merge(lists iter.Seq2[io.ReadCloser, error], out io.WriteCloser) error {
	var heads []*head
	defer func() {
		for _, h := range heads {
			_ = h.list.Close()
		}
	}()
	for list, err := range lists {
		if err != nil {
			return err
		}
		h := &head{list: list, lines: bufio.NewReaderSize(list, bufferBytes)}
		heads = append(heads, h)
		if err := h.next(); err != nil {
			return err
		}
	}
	buffered := bufio.NewWriterSize(out, bufferBytes)
	for {
		var least *head
		for _, h := range heads { // of sixteen
			if h.line != "" && (least == nil || h.word < least.word) {
				least = h
			}
		}
		if least == nil {
			return errors.Join(buffered.Flush(), out.Close())
		}
		buffered.WriteString(least.line) // its error comes again from Flush
		if err := least.next(); err != nil {
			return err
		}
	}
}

// head is a list and its next line.
type head struct {
	list  io.ReadCloser
	lines *bufio.Reader
	line  string // with its end; "": there is none
	word  string
}

// next reads a line. A list is read to its very end: a reader that verifies says
// only there that the bytes were the right ones.
func (h *head) next() error {
	line, err := h.lines.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	h.line = line
	h.word, _, _ = strings.Cut(line, "\t")
	return nil
}
