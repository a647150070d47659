package blob

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/deedrun/deed/task"
)

const (
	maxLine     = 1 << 20     // of an encoded part, when writing
	maxReadLine = 2 * maxLine // what a reader holds in memory at most
)

// LongLineError is a part that fits into no list of parts, for the sake of its
// value, its key or its name.
type LongLineError struct{ bytes int }

func (e *LongLineError) Error() string {
	return fmt.Sprintf("it encodes to %d bytes, at most %d are allowed; write large values to a blob", e.bytes, maxLine)
}

// encodeLine is one line of a report or manifest.
func encodeLine(v any) ([]byte, error) {
	line, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(line) >= maxLine {
		return nil, &LongLineError{bytes: len(line)}
	}
	return append(line, '\n'), nil
}

// normal is a part, which has been checked, in the form that every encoding keeps:
// an inline value travels through JSON many times, and its digest must not depend
// on how often.
func normal(p task.Part) (task.Part, error) {
	if p.Ref != nil {
		p.Value = nil
		return p, nil
	}
	if isNormal(p.Value) && json.Valid(p.Value) {
		return p, nil
	}
	value, err := json.Marshal(p.Value)
	if err != nil {
		return p, fmt.Errorf("part %q: the inline value is not JSON: %w", clip(p.Name), err)
	}
	p.Value = value
	return p, nil
}

// lineReader reads JSON lines in bounded memory.
type lineReader struct {
	r       io.Reader
	scanner *bufio.Scanner
	line    int
}

func newLineReader(r io.Reader) *lineReader {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 0, 64<<10), maxReadLine)
	return &lineReader{r: r, scanner: scanner}
}

// next decodes the next line into v, or returns io.EOF; see read.
func (l *lineReader) next(v any) error {
	return l.read(func(line []byte) error { return json.Unmarshal(line, v) })
}

// read has the next line decoded, which is gone after that, or returns io.EOF. If a
// line makes no sense, the rest is read first: an error of the reader, such as
// *CorruptError, explains more. Where there is none, another try would find the same.
func (l *lineReader) read(decode func(line []byte) error) error {
	if !l.scanner.Scan() {
		if err := l.scanner.Err(); err != nil {
			return l.fail(err)
		}
		return io.EOF
	}
	l.line++
	if err := decode(l.scanner.Bytes()); err != nil {
		return l.fail(err)
	}
	return nil
}

// check is for what is wrong with a line that next has decoded.
func (l *lineReader) check(err error) error {
	if err == nil {
		return nil
	}
	return l.fail(err)
}

func (l *lineReader) fail(err error) error {
	if _, cause := io.Copy(io.Discard, l.r); cause != nil {
		return cause
	}
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("longer than %d bytes", maxReadLine)
	}
	return &malformedError{fmt.Errorf("line %d: %w", l.line, err)}
}
