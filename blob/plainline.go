package blob

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/deedrun/deed/task"
)

// Nearly all lines of manifests and reports are plain: nothing is escaped in
// their texts. Those are written and taken apart here, which is several times as
// quick; encoding/json does the others, to the same effect.

// decodeEntry reads a line of a manifest. Its value is a part of the line.
func decodeEntry(line []byte) (e Entry, err error) {
	l := plainLine{text: string(line), ok: true}
	l.expect(`{"index":`)
	e.Index = int(l.number())
	l.expect(`,"ordinal":`)
	e.Ordinal = int(l.number())
	if e.Part = l.part(line); l.ok {
		return e, nil
	}
	e = Entry{}
	err = json.Unmarshal(line, &e)
	return e, err
}

// decodeProduced reads a line of a report. It keeps nothing of the line.
func decodeProduced(line []byte) (p task.Produced, err error) {
	l := plainLine{text: string(line), ok: true}
	l.expect(`{"index":`)
	p.Index = int(l.number())
	l.expect(`,"data":"`)
	p.Data = l.rest()
	if p.Part = l.part(line); l.ok {
		p.Value = bytes.Clone(p.Value)
		return p, nil
	}
	p = task.Produced{}
	err = json.Unmarshal(line, &p)
	return p, err
}

// encodeEntry appends a line of a manifest. The part is in the form of normal.
func encodeEntry(b []byte, e Entry) ([]byte, error) {
	line := append(strconv.AppendInt(append(b, `{"index":`...), int64(e.Index), 10), `,"ordinal":`...)
	if line, ok := appendPart(strconv.AppendInt(line, int64(e.Ordinal), 10), e.Part); ok && len(line)-len(b) < maxLine {
		return line, nil
	}
	other, err := encodeLine(e)
	return append(b, other...), err
}

// encodeProduced appends a line of a report. The part is in the form of normal.
func encodeProduced(b []byte, p task.Produced) ([]byte, error) {
	line := append(strconv.AppendInt(append(b, `{"index":`...), int64(p.Index), 10), `,"data":`...)
	if line, ok := appendText(line, p.Data); ok {
		if line, ok := appendPart(line, p.Part); ok && len(line)-len(b) < maxLine {
			return line, nil
		}
	}
	other, err := encodeLine(p)
	return append(b, other...), err
}

// appendPart ends a line with its part.
func appendPart(b []byte, p task.Part) (line []byte, ok bool) {
	if p.Ref != nil && (p.Ref.Elsewhere() || p.Ref.ETag != "") {
		return nil, false
	}
	ok = true
	text := func(name, value string) {
		if value != "" && ok {
			b, ok = appendText(append(b, name...), value)
		}
	}
	text(`,"key":`, p.Key)
	text(`,"name":`, p.Name)
	if p.Ref != nil {
		b = append(b, `,"ref":{`...)
		if p.Ref.Key == "" {
			return nil, false
		}
		text(`"key":`, p.Ref.Key)
		b = strconv.AppendInt(append(b, `,"size":`...), p.Ref.Size, 10)
		text(`,"sha256":`, p.Ref.SHA256)
		b = append(b, '}')
	}
	if len(p.Value) > 0 {
		b = append(append(b, `,"value":`...), p.Value...)
	}
	return append(b, "}\n"...), ok
}

// appendText appends a text in which nothing has to be escaped.
func appendText(b []byte, text string) (with []byte, ok bool) {
	for i := range len(text) {
		if !isPlain(text[i]) || text[i] == '"' || text[i] == '\\' {
			return b, false
		}
	}
	return append(append(append(b, '"'), text...), '"'), true
}

// isPlain reports whether a byte of JSON text means the same as it stands.
func isPlain(c byte) bool {
	return c >= ' ' && c < utf8.RuneSelf && c != '<' && c != '>' && c != '&'
}

// isNormal reports whether encoding/json would write valid JSON as it is.
func isNormal(value []byte) bool {
	for _, c := range value {
		if !isPlain(c) || c == ' ' {
			return false
		}
	}
	return true
}

// plainLine is what is left of a line; ok is false once it is not as expected.
type plainLine struct {
	text string
	ok   bool
}

// part reads the rest of a line.
func (l *plainLine) part(line []byte) (p task.Part) {
	if l.skip(`,"key":"`) {
		p.Key = l.rest()
	}
	if l.skip(`,"name":"`) {
		p.Name = l.rest()
	}
	if l.skip(`,"ref":{`) {
		p.Ref = l.ref()
	}
	if l.skip(`,"value":`) {
		end := strings.TrimSuffix(strings.TrimSuffix(l.text, "\n"), "}")
		from := len(line) - len(l.text)
		p.Value = line[from : from+len(end) : from+len(end)]
		if strings.TrimSpace(end) != end || !json.Valid(p.Value) {
			l.ok = false
			return task.Part{}
		}
		l.text = l.text[len(end):]
	}
	l.expect("}")
	l.ok = l.ok && (l.text == "\n" || l.text == "")
	return p
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
