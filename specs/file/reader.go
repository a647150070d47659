package file

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
)

// reader collects what is wrong with the form of a file.
type reader struct {
	faults []definition.Fault
	spell  definition.Speller
}

func (r *reader) fault(at definition.Pos, code, hint, format string, args ...any) {
	if len(r.faults) < parse.MaxFaults {
		r.faults = append(r.faults, definition.Fault{Pos: at, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
}

type table map[string]func(parse.Entry)

// entries reads a mapping; what names it in faults.
func (r *reader) entries(t *parse.Tree, what, hint string) []parse.Entry {
	if !t.IsMapping() {
		r.fault(t.Pos, "wrong-type", hint, "%s must be a mapping, not %s", what, t)
		return nil
	}
	return t.Entries
}

// keys reads a mapping by a table of keys; those in ignored are somebody else's.
func (r *reader) keys(t *parse.Tree, what, hint string, known table, ignored ...string) {
	for _, e := range r.entries(t, what, hint) {
		if read := known[e.Key.Value]; read != nil {
			read(e)
		} else if !slices.Contains(ignored, e.Key.Value) {
			r.unknown(e.Key, what, slices.Sorted(maps.Keys(known)))
		}
	}
}

func (r *reader) unknown(key definition.Text, what string, known []string) {
	r.fault(key.Pos, "unknown-key", r.spell.Choice(key.Value, known), "%s is no key of %s", quote(key.Value), what)
}

// text reads a text that is not empty; numbers and booleans are what is written.
func (r *reader) text(e parse.Entry) definition.Text {
	text, ok := e.Value.Scalar()
	if !ok || strings.TrimSpace(text) == "" {
		r.fault(e.Value.Pos, "wrong-type", "", "%s must be a text, not %s", e.Key.Value, e.Value)
	}
	return definition.Text{Value: text, Pos: e.Value.Pos}
}

func (r *reader) duration(e parse.Entry) time.Duration {
	text, _ := e.Value.Scalar()
	d, err := definition.ParseDuration(text)
	if err != nil || d < 0 {
		r.fault(e.Value.Pos, "bad-duration", "write a time like 30s, 5m or 1h30m", "%s must be a length of time, not %s", e.Key.Value, e.Value)
	}
	return time.Duration(d)
}

func (r *reader) whole(e parse.Entry, least int) *int {
	n, ok := e.Value.Whole()
	if !ok || n < least {
		r.fault(e.Value.Pos, "wrong-type", "", "%s must be a whole number from %d on, not %s", e.Key.Value, least, e.Value)
	}
	return &n
}

func quote(s string) string { return strconv.Quote(clip(s)) }

// clip shortens a text to what fits into a line of a message.
func clip(s string) string {
	const most = 80
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}
