package standard

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// column is one of those by which records are compared.
type column struct {
	name       string
	index      int  // from 0; -1: it is found by its name
	number     bool // compared as a number, else by its bytes
	descending bool
}

// String is how an author names it.
func (c column) String() string {
	if c.name == "" {
		return "column " + strconv.Itoa(c.index+1)
	}
	return "column " + strconv.Quote(c.name)
}

// columns reads `bytes number desc, "first name"`; ok is false for what is none.
func columns(text string) (all []column, ok bool) {
	for rest := text; ; {
		var c column
		if c, rest, ok = oneColumn(strings.TrimLeft(rest, " ")); !ok {
			return nil, false
		}
		words, more, further := strings.Cut(rest, ",")
		for _, word := range strings.Fields(words) {
			switch word {
			case "number":
				c.number = true
			case "desc":
				c.descending = true
			case "text", "asc":
			default:
				return nil, false
			}
		}
		all = append(all, c)
		if rest = more; !further {
			return all, true
		}
	}
}

// oneColumn reads a name or a number, and leaves what follows it.
func oneColumn(text string) (c column, rest string, ok bool) {
	if quoted, isQuoted := strings.CutPrefix(text, `"`); isQuoted {
		name, rest, closed := strings.Cut(quoted, `"`)
		return column{name: name, index: -1}, rest, closed && name != "" && (rest == "" || rest[0] == ' ' || rest[0] == ',')
	}
	end := strings.IndexAny(text, " ,")
	if end < 0 {
		end = len(text)
	}
	name := text[:end]
	if n, err := strconv.Atoi(name); err == nil && n > 0 {
		return column{index: n - 1}, text[end:], true
	}
	return column{name: name, index: -1}, text[end:], name != "" && !strings.ContainsAny(name, "\"\t\n\f\r")
}

// order makes keys of records: texts whose bytes compare as the records do.
type order struct {
	format
	by   []column // none: records are compared as a whole
	most int      // columns that matter
	raw  bool     // the key is the bytes of the one column

	found   [][]byte
	scratch []byte
}

// order reads by what records are compared.
func (p *params) order(f format, by string) *order {
	o := &order{format: f}
	if p.err != nil || by == "" {
		return o
	}
	var ok bool
	if o.by, ok = columns(by); !ok {
		p.err = badParam("by", `%s are no columns: write them like bytes number desc, "first name"`, excerpt([]byte(by)))
		return o
	}
	for i := range o.by {
		c := &o.by[i]
		switch {
		case f.kind == jsonLines:
			if c.name == "" {
				c.name = strconv.Itoa(c.index + 1)
			}
		case c.name != "" && !f.header:
			p.err = badParam("by", "%s has a name, but the parts have no header: write its number, or header: true", c)
		case c.index > 0 && f.kind == lines && f.separator == 0:
			p.err = badParam("by", "%s of lines that are one column: say what separates them by separator", c)
		}
		o.most = max(o.most, c.index+1)
	}
	return o
}

// begin reads the header of a part, and finds in it the columns that have a name.
func (o *order) begin(r *reader, h *header) error {
	if err := h.take(r); err != nil || h.record == nil {
		return err
	}
	return o.look(r, h.record)
}

// look finds the columns that have a name in the header of a part.
func (o *order) look(r *reader, header []byte) error {
	names := o.split(bytes.TrimPrefix(header, bom), 1<<20)
	for i := range o.by {
		c := &o.by[i]
		if c.name == "" {
			continue
		}
		c.index = slices.IndexFunc(names, func(n []byte) bool { return string(n) == c.name })
		if c.index < 0 {
			return r.fault("the header has no %s: it is %s", c, excerpt(content(header)))
		}
		o.most = max(o.most, c.index+1)
	}
	return nil
}

func (o *order) split(record []byte, most int) [][]byte {
	o.found = o.found[:0]
	switch {
	case o.kind == csv:
		o.found = csvColumns(o.found, record, o.separator, most, &o.scratch)
	case o.separator == 0:
		o.found = append(o.found, content(record))
	default:
		for rest, further := content(record), true; further && len(o.found) < most; {
			var field []byte
			field, rest, further = bytes.Cut(rest, []byte{o.separator})
			o.found = append(o.found, field)
		}
	}
	return o.found
}

// key appends the key of the record that r has read last.
func (o *order) key(key []byte, r *reader, record []byte) ([]byte, error) {
	if len(o.by) == 0 {
		return append(key, content(record)...), nil
	}
	var members map[string]json.RawMessage
	if o.kind == jsonLines {
		if err := json.Unmarshal(record, &members); err != nil {
			return key, r.fault("this is no JSON object: %s", excerpt(content(record)))
		}
	} else {
		o.split(record, o.most)
	}
	for _, c := range o.by {
		var field []byte
		switch {
		case o.kind == jsonLines:
			field = memberText(members[c.name])
		case c.index < len(o.found):
			field = o.found[c.index]
		default:
			return key, r.fault("the record has %d columns, so there is no %s: %s", len(o.found), c, excerpt(content(record)))
		}
		begin, ok := len(key), true
		switch {
		case o.raw:
			key = append(key, field...)
		case c.number:
			key, ok = appendNumber(key, field)
		default:
			key = appendText(key, field)
		}
		if !ok {
			return key, r.fault("%s is %s, which is no number", c, excerpt(field))
		}
		if c.descending {
			invert(key[begin:])
		}
	}
	return key, nil
}

// appendText appends a text so that a shorter one comes first, whatever follows it.
func appendText(key, text []byte) []byte {
	for {
		n := bytes.IndexByte(text, 0)
		if n < 0 {
			key = append(key, text...)
			return append(key, 0, 0)
		}
		key = append(key, text[:n]...)
		key = append(key, 0, 0xff)
		text = text[n+1:]
	}
}

// memberText is a string without its quotes, anything else as it is written, and
// empty for null and for what is not there.
func memberText(value json.RawMessage) []byte {
	var text string
	switch {
	case len(value) == 0 || string(value) == "null":
		return nil
	case value[0] == '"' && json.Unmarshal(value, &text) == nil:
		return []byte(text)
	}
	return value
}
