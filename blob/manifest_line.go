package blob

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/deedrun/deed/task"
)

// decodeEntry reads a line of a manifest. Nearly all are as encodeLine writes
// them, without anything escaped in their texts, and are taken apart here, which
// is several times as quick; encoding/json reads the others, to the same effect.
func decodeEntry(line []byte) (Entry, error) {
	if e, ok := plainEntry(line); ok {
		return e, nil
	}
	var e Entry
	err := json.Unmarshal(line, &e)
	return e, err
}

// plainEntry reads a line in the order and form of encodeLine. The value is a part
// of the line.
func plainEntry(line []byte) (e Entry, ok bool) {
	l := plainLine{text: string(line), ok: true}
	l.expect(`{"index":`)
	e.Index = int(l.number())
	l.expect(`,"ordinal":`)
	e.Ordinal = int(l.number())
	if l.skip(`,"key":"`) {
		e.Key = l.rest()
	}
	if l.skip(`,"name":"`) {
		e.Name = l.rest()
	}
	if l.skip(`,"ref":{`) {
		e.Ref = l.ref()
	}
	if l.skip(`,"value":`) {
		end := strings.TrimSuffix(l.text, "}\n")
		from := len(line) - len(l.text)
		e.Value = line[from : from+len(end) : from+len(end)]
		if len(end) == len(l.text) || strings.TrimSpace(end) != end || !json.Valid(e.Value) {
			return Entry{}, false
		}
		l.text = l.text[len(end):]
	}
	l.expect("}\n")
	return e, l.ok && l.text == ""
}

// plainLine is what is left of a line; ok is false once it is not as expected.
type plainLine struct {
	text string
	ok   bool
}

func (l *plainLine) skip(prefix string) (found bool) {
	l.text, found = strings.CutPrefix(l.text, prefix)
	return found
}

func (l *plainLine) expect(prefix string) { l.ok = l.skip(prefix) && l.ok }

// number reads a whole number from 0 on, of at most 18 digits.
func (l *plainLine) number() (n int64) {
	i := 0
	for ; i < len(l.text) && l.text[i] >= '0' && l.text[i] <= '9'; i++ {
		if i == 18 {
			break
		}
		n = 10*n + int64(l.text[i]-'0')
	}
	if i == 0 || i > 1 && l.text[0] == '0' {
		l.ok = false
	}
	l.text = l.text[i:]
	return n
}

// rest reads a text, of which the first quote has been read, with the last one.
func (l *plainLine) rest() string {
	ascii := true
	for i := range len(l.text) {
		switch c := l.text[i]; {
		case c == '"':
			text := l.text[:i]
			l.text = l.text[i+1:]
			l.ok = l.ok && (ascii || utf8.ValidString(text))
			return text
		case c < ' ' || c == '\\':
			l.ok = false
			return ""
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	l.ok = false
	return ""
}

func (l *plainLine) ref() *task.Ref {
	var r task.Ref
	if l.skip(`"key":"`) {
		r.Key = l.rest()
		l.expect(",")
	}
	l.expect(`"size":`)
	r.Size = l.number()
	if l.skip(`,"sha256":"`) {
		r.SHA256 = l.rest()
	}
	if l.skip(`,"url":"`) {
		r.URL = l.rest()
	}
	if l.skip(`,"etag":"`) {
		r.ETag = l.rest()
	}
	l.expect("}")
	return &r
}
