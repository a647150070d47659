package definition

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deedrun/deed/task"
)

// Diff says in sentences what is different in b, compared with a: "step count:
// timeout 5m, was 1m". It is empty exactly when both describe the same work;
// where the bytes of a file lie makes no difference, only which bytes they are.
func Diff(a, b Definition) []string {
	var d differences
	d.definitions(a, b)
	return d.lines
}

type differences struct {
	above string // the address of the step that has the child, and a slash
	where string
	lines []string
}

// definitions compares two definitions, or those of children.
func (d *differences) definitions(a, b Definition) {
	d.value("name", quoted(a.Name), quoted(b.Name))
	d.value("version", quoted(a.Version), quoted(b.Version))
	d.value("inputs", list(a.Inputs), list(b.Inputs))
	d.params(a.Params, b.Params)
	d.files(a.Files, b.Files)
	d.steps(a, b)
	d.value("outputs", list(a.Outputs), list(b.Outputs))
	d.value("deadline", orNone(a.Deadline != 0, a.Deadline.String()), orNone(b.Deadline != 0, b.Deadline.String()))
	d.value("parallelism", atMost(a.Parallelism), atMost(b.Parallelism))
	d.value("weight", fmt.Sprint(max(a.Weight, 1)), fmt.Sprint(max(b.Weight, 1)))
}

// value compares whole texts, and shows clipped ones.
func (d *differences) value(what, was, is string) {
	switch {
	case was == is:
	case clip(was) == clip(is):
		d.say("%s is another, the beginning is the same: %s", what, clip(is))
	default:
		d.say("%s %s, was %s", what, clip(is), clip(was))
	}
}

func (d *differences) say(format string, args ...any) {
	d.lines = append(d.lines, d.where+fmt.Sprintf(format, args...))
}

func (d *differences) params(a, b map[string]json.RawMessage) {
	for _, name := range sortedKeys(a, b) {
		was, had := a[name]
		is, has := b[name]
		switch {
		case !had:
			d.say("param %s %s is new", name, clip(scalar(is)))
		case !has:
			d.say("param %s is gone, was %s", name, clip(scalar(was)))
		default:
			d.value("param "+name, scalar(was), scalar(is))
		}
	}
}

func (d *differences) files(a, b []task.File) {
	was, is := map[string]task.Ref{}, map[string]task.Ref{}
	for _, f := range a {
		was[f.Name] = f.Ref
	}
	for _, f := range b {
		is[f.Name] = f.Ref
	}
	for _, name := range sortedKeys(was, is) {
		before, had := was[name]
		now, has := is[name]
		switch {
		case !had:
			d.say("file %s is new", name)
		case !has:
			d.say("file %s is gone", name)
		case before.SHA256 != now.SHA256:
			d.say("file %s has other content: sha256 %s, was %s", name, short(now.SHA256), short(before.SHA256))
		}
	}
}

func (d *differences) steps(a, b Definition) {
	where := d.where
	d.where = ""
	defer func() { d.where = where }()
	was, is := byAddress(a.Steps), byAddress(b.Steps)
	var kept, keeps []string
	for i := range a.Steps {
		if address := a.Steps[i].Address; is[address] == nil {
			d.say("step %s is gone", d.above+address)
		} else {
			kept = append(kept, address)
		}
	}
	for i := range b.Steps {
		now := &b.Steps[i]
		before := was[now.Address]
		if before == nil {
			d.say("step %s is new", d.above+now.Address)
			continue
		}
		keeps = append(keeps, now.Address)
		d.step(before, now)
	}
	if !slices.Equal(kept, keeps) {
		d.where = where
		d.say("steps stand in another order")
	}
}

// byAddress indexes steps; of two with one address, as an old history may have
// them, the first counts.
func byAddress(steps []Step) map[string]*Step {
	all := make(map[string]*Step, len(steps))
	for i := range steps {
		if s := &steps[i]; all[s.Address] == nil {
			all[s.Address] = s
		}
	}
	return all
}

// step compares two steps, and what is inside of them where both have a child.
func (d *differences) step(a, b *Step) {
	outer := *d
	d.where = "step " + d.above + b.Address + ": "
	for _, c := range append(work(a, b), conduct(a, b)...) {
		d.value(c.what, c.was, c.is)
	}
	if a.Process != nil && b.Process != nil {
		d.above += b.Address + "/"
		d.where = "child of " + outer.above + b.Address + ": "
		d.definitions(*a.Process, *b.Process)
	}
	d.above, d.where = outer.above, outer.where
}

func run(s *Step) string {
	if s.Process != nil {
		return "a process"
	}
	text := quoted(s.Run.Shell)
	switch r := s.Run; {
	case r.Handler != "":
		return r.Handler
	case len(r.Command) > 0:
		text = fmt.Sprintf("%q", r.Command)
	}
	if s.Run.Keep {
		text += ", kept"
	}
	return text
}

func each(e *Each) string {
	if e == nil {
		return "none"
	}
	return bindings(append([]Binding{e.Binding}, e.With...)) + e.suffix()
}

func bindings(all []Binding) string {
	words := make([]string, len(all))
	for i, b := range all {
		words[i] = b.Data
		if b.Local != b.Data {
			words[i] = b.Local + ": " + b.Data
		}
	}
	return list(words)
}

func list(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

func quoted(s string) string { return orNone(s != "", fmt.Sprintf("%q", s)) }

func orNone(some bool, text string) string {
	if some {
		return text
	}
	return "none"
}

func atMost(n int) string { return orNone(n != 0, strconv.Itoa(n)) }

// scalar brings JSON that means the same, with other spaces or escapes, to one form.
func scalar(value json.RawMessage) string {
	text, err := json.Marshal(value)
	if err != nil {
		return string(value)
	}
	return string(text)
}

func short(hash string) string { return hash[:min(len(hash), 12)] }

func sortedKeys[V any](a, b map[string]V) []string {
	var names []string
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
