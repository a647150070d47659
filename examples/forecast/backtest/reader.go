package backtest

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// MalformedError is an input that does not become right by reading it again.
type MalformedError struct{ what string }

func (e *MalformedError) Error() string { return e.what }

func malformed(what string) error { return &MalformedError{what} }

// reader reads CSV, at most [MaxTable] of it, and knows where it is.
type reader struct {
	csv  *csv.Reader
	rest *io.LimitedReader
	line int
}

func newReader(r io.Reader) *reader {
	rest := &io.LimitedReader{R: r, N: MaxTable}
	lines := csv.NewReader(rest)
	lines.ReuseRecord = true
	return &reader{csv: lines, rest: rest}
}

// next is the next line, until another is read.
func (r *reader) next() ([]string, error) {
	line, err := r.csv.Read()
	r.line++
	var syntax *csv.ParseError
	switch {
	case r.rest.N == 0:
		return nil, malformed(fmt.Sprintf("the table has more than %d MiB: share it out among more tasks", MaxTable>>20))
	case errors.As(err, &syntax):
		return nil, r.malformed("%v", syntax.Err)
	}
	return line, err
}

func (r *reader) malformed(format string, args ...any) error {
	return malformed(fmt.Sprintf("line %d: ", r.line) + fmt.Sprintf(format, args...))
}

// texts are whole numbers as they stand in a line.
func texts(numbers []int) []string {
	all := make([]string, len(numbers))
	for i, n := range numbers {
		all[i] = strconv.Itoa(n)
	}
	return all
}
