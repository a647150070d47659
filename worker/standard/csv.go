package standard

import "bytes"

// quoting follows the quotes of a CSV record. A quote opens a field only where the
// field begins; elsewhere it is a character like any other, as programs write it
// that do not know better.
type quoting struct {
	separator byte
	state     quoteState
}

type quoteState int

const (
	fieldBegins  quoteState = iota
	insideField             // without quotes
	insideQuotes            // where separators and line ends are characters
	afterQuote              // that closes the field, or is the first of two
	afterReturn             // that follows the quote: the line ends here
)

// isOpen reports whether the field goes on after a line end.
func (q *quoting) isOpen() bool { return q.state == insideQuotes }

// scan goes through a piece of a record, and says what is wrong with it.
func (q *quoting) scan(chunk []byte) (fault string) {
	for i := 0; i < len(chunk); i++ {
		switch q.state {
		case insideField:
			n := bytes.IndexByte(chunk[i:], q.separator)
			if n < 0 {
				return ""
			}
			i += n
			q.state = fieldBegins
		case insideQuotes:
			n := bytes.IndexByte(chunk[i:], '"')
			if n < 0 {
				return ""
			}
			i += n
			q.state = afterQuote
		default:
			if fault = q.step(chunk[i]); fault != "" {
				return fault
			}
		}
	}
	return ""
}

func (q *quoting) step(c byte) (fault string) {
	switch {
	case c == '"' && (q.state == fieldBegins || q.state == afterQuote):
		q.state = insideQuotes
	case c == q.separator && q.state != afterReturn:
		q.state = fieldBegins
	case q.state == fieldBegins:
		q.state = insideField
	case c == '\r' && q.state == afterQuote:
		q.state = afterReturn
	case c != '\n':
		return `a character follows the quote that closes a field: write quotes inside quotes twice`
	}
	return ""
}

// csvColumns appends the fields of a record, at most the first most, without their
// quotes. They are valid as long as the record and scratch are.
func csvColumns(columns [][]byte, record []byte, separator byte, most int, scratch *[]byte) [][]byte {
	rest := content(record)
	*scratch = (*scratch)[:0]
	for len(columns) < most {
		var field []byte
		if len(rest) > 0 && rest[0] == '"' {
			field, rest = unquote(rest[1:], scratch)
		} else {
			n := bytes.IndexByte(rest, separator)
			if n < 0 {
				return append(columns, rest)
			}
			field, rest = rest[:n], rest[n:]
		}
		columns = append(columns, field)
		if len(rest) == 0 {
			return columns
		}
		rest = rest[1:] // the separator
	}
	return columns
}

// unquote is a field from behind its quote, and what follows it. A field with
// quotes inside is put together in scratch.
func unquote(rest []byte, scratch *[]byte) (field, after []byte) {
	begin := len(*scratch)
	for {
		n := bytes.IndexByte(rest, '"')
		if n < 0 { // read() has refused it
			return rest, nil
		}
		if n+1 == len(rest) || rest[n+1] != '"' {
			if len(*scratch) == begin {
				return rest[:n], rest[n+1:]
			}
			*scratch = append(*scratch, rest[:n]...)
			return (*scratch)[begin:], rest[n+1:]
		}
		*scratch = append(*scratch, rest[:n+1]...)
		rest = rest[n+2:]
	}
}
