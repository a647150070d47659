package standard

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// What parts may consist of.
const (
	lines     = "lines"
	csv       = "csv"
	jsonLines = "json-lines"
	plain     = "bytes"
)

// maxRecord bounds the parameter largest.
const maxRecord = 1 << 30

// format says where a record ends, and what its columns are.
type format struct {
	kind      string
	header    bool
	separator byte // 0: a line is one column
	largest   int64
}

func (p *params) format() format {
	f := format{kind: p.text("records"), header: p.truth("header"), largest: p.size("largest")}
	separator := p.text("separator")
	switch {
	case p.err != nil:
	case f.kind != lines && f.kind != csv && f.kind != jsonLines && f.kind != plain:
		p.err = badParam("records", "%q is unknown: there are %s, %s, %s and, for deed/concat, %s", f.kind, lines, csv, jsonLines, plain)
	case f.largest > maxRecord:
		p.err = badParam("largest", "a record is in memory: %d bytes are more than %d", f.largest, maxRecord)
	case len(separator) > 1 || separator == "\n" || separator == `"`:
		p.err = badParam("separator", "%s is not one character", excerpt([]byte(separator)))
	case f.header && (f.kind == jsonLines || f.kind == plain):
		p.err = badParam("header", "%s have none", f.kind)
	case separator != "":
		f.separator = separator[0]
	case f.kind == csv:
		f.separator = ','
	}
	return f
}

// bom is what some programs write before text.
var bom = []byte("\xef\xbb\xbf")

// reader reads the records of one part. A record is all of its bytes, its line end
// included. Blank lines are records of lines only.
type reader struct {
	format
	where string
	in    *bufio.Reader
	line  int    // where the record that was read last begins
	ends  int    // of lines, read so far
	long  []byte // a record that is not in the buffer as a whole
}

func (f format) reader(where string, in io.Reader, buffer int) *reader {
	return &reader{format: f, where: where, in: bufio.NewReaderSize(in, buffer)}
}

// next is the next record, or io.EOF. It is valid until the next call.
func (r *reader) next() ([]byte, error) {
	for {
		record, err := r.read()
		switch {
		case err != nil:
			return nil, err
		case r.kind == lines:
			return record, nil
		case len(bytes.TrimSpace(record)) == 0:
			continue
		case r.kind == jsonLines && !json.Valid(record):
			return nil, r.fault("this is no JSON: %s", excerpt(content(record)))
		}
		return record, nil
	}
}

func (r *reader) read() ([]byte, error) {
	if r.ends == 0 && r.line == 0 && r.kind != lines {
		if begin, _ := r.in.Peek(len(bom)); bytes.Equal(begin, bom) {
			_, _ = r.in.Discard(len(bom)) // it is in the buffer
		}
	}
	r.line = r.ends + 1
	r.long = r.long[:0]
	quotes := quoting{separator: r.separator}
	for {
		chunk, err := r.in.ReadSlice('\n')
		if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if int64(len(r.long)+len(chunk)) > r.largest {
			return nil, r.fault("the record that begins here has more than %d bytes: raise the parameter largest, if it is one", r.largest)
		}
		if r.kind == csv {
			if what := quotes.scan(chunk); what != "" {
				return nil, r.fault("%s", what)
			}
		}
		switch {
		case err == io.EOF && len(r.long)+len(chunk) == 0:
			return nil, io.EOF
		case err == io.EOF && quotes.isOpen():
			return nil, r.fault("a quote opens in the record that begins here, and none closes it")
		case err == nil:
			r.ends++
		}
		if err == io.EOF || err == nil && !quotes.isOpen() {
			if len(r.long) == 0 {
				return chunk, nil
			}
			r.long = append(r.long, chunk...)
			return r.long, nil
		}
		r.long = append(r.long, chunk...)
	}
}

// fault speaks of the record that was read last.
func (r *reader) fault(what string, args ...any) error {
	return &BadInputError{Where: r.where, Line: r.line, What: fmt.Sprintf(what, args...)}
}

// content is a record without its line end.
func content(record []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(record, []byte("\n")), []byte("\r"))
}
