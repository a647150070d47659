package definition

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Param finds a parameter by its name.
func (h StandardHandler) Param(name string) (StandardParam, bool) {
	i := slices.IndexFunc(h.Params, func(p StandardParam) bool { return p.Name == name })
	if i < 0 {
		return StandardParam{}, false
	}
	return h.Params[i], true
}

// Names lists the parameters.
func (h StandardHandler) Names() []string {
	var names []string
	for _, p := range h.Params {
		names = append(names, p.Name)
	}
	return names
}

// missing lists the parameters that have to be given and are not.
func (h StandardHandler) missing(given map[string]json.RawMessage) []string {
	var missing []string
	for _, p := range h.Params {
		if _, ok := given[p.Name]; !ok && p.Default == nil {
			missing = append(missing, p.Name)
		}
	}
	return missing
}

// WithDefaults is what the step's tasks find: every parameter, so that neither a
// parameter of the process that happens to have the same name nor a later
// default changes what the step does.
func (h StandardHandler) WithDefaults(given map[string]json.RawMessage) map[string]json.RawMessage {
	all := maps.Clone(given)
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	for _, p := range h.Params {
		if _, ok := all[p.Name]; !ok && p.Default != nil {
			all[p.Name] = p.Default
		}
	}
	return all
}

// Check says why a value is none for the parameter; nil: it is one.
func (p StandardParam) Check(value json.RawMessage) error {
	switch p.Type {
	case Boolean:
		var b *bool
		if json.Unmarshal(value, &b) != nil || b == nil {
			return errors.New("write true or false")
		}
	case Number:
		var n *float64
		if json.Unmarshal(value, &n) != nil || n == nil || *n != math.Trunc(*n) || *n < float64(p.min) || *n > float64(p.max) {
			return fmt.Errorf("write a whole number from %d to %d", p.min, p.max)
		}
	case String:
		if p.is == standardColumn || p.is == standardColumns {
			value = unquotedNumber(value)
		}
		var s *string
		if json.Unmarshal(value, &s) != nil || s == nil {
			return errors.New("write " + textLike[p.is])
		}
		return p.checkText(*s)
	}
	return nil
}

// unquotedNumber makes a text of a number: a column may be written as 2.
func unquotedNumber(value json.RawMessage) json.RawMessage {
	var n int
	if json.Unmarshal(value, &n) == nil && n > 0 {
		return jsonText(string(value))
	}
	return value
}

// A column is a name or a number, or a name in quotes if it has blanks or commas;
// columns also say how they are compared.
var (
	columnPattern  = regexp.MustCompile(`^ *(?:"[^"]+"|[^\s",]+) *$`)
	columnsPattern = regexp.MustCompile(`^ *(?:"[^"]+"|[^\s",]+)(?: +(?:number|text|desc|asc))*(?: *, *(?:"[^"]+"|[^\s",]+)(?: +(?:number|text|desc|asc))*)* *$`)
)

// textLike says what texts of a form look like.
var textLike = map[standardForm]string{
	"":                "a text",
	standardWord:      "a word",
	standardSize:      "a size, like 64MiB",
	standardColumn:    `a column by its name or number, a name with blanks like '"first name"'`,
	standardColumns:   `columns like 'bytes number desc, "first name"'`,
	standardSeparator: "one character of ASCII, but no quote and no line end",
	standardFile:      "the name of a file, without folders",
}

func (p StandardParam) checkText(s string) error {
	switch p.is {
	case standardWord:
		if !slices.Contains(p.oneOf, s) {
			return fmt.Errorf("write one of %s", strings.Join(p.oneOf, ", "))
		}
	case standardSize:
		if _, err := ParseMemory(s); err != nil {
			return err
		}
	case standardColumn:
		if !columnPattern.MatchString(s) {
			return errors.New("write " + textLike[p.is])
		}
	case standardColumns:
		if s == "" {
			return nil
		}
		if !columnsPattern.MatchString(s) {
			return errors.New("write " + textLike[p.is])
		}
	case standardSeparator:
		if len(s) > 1 || s != "" && (s[0] >= utf8.RuneSelf || strings.ContainsAny(s, "\"\r\n\x00")) {
			return errors.New("write " + textLike[p.is])
		}
	case standardFile:
		const longest = 255
		if s == "." || s == ".." || len(s) > longest || strings.ContainsAny(s, "/\x00") || !utf8.ValidString(s) {
			return errors.New("write " + textLike[p.is])
		}
	}
	return nil
}
