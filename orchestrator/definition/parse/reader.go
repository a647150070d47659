package parse

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition"
)

// reader walks the tree by the keys it knows, and nowhere else. Aliases are
// followed where they stand; how much is walked in all is bounded.
type reader struct {
	src    *definition.Source
	node   *definition.Node // the step or group being read; nil outside
	at     string           // its address
	walk   int              // values that may still be walked
	faults []definition.Fault
	spell  definition.Speller
}

func (r *reader) pos(n *yaml.Node) definition.Pos {
	return definition.Pos{File: r.src.File, Line: n.Line, Column: n.Column}
}

func (r *reader) fault(n *yaml.Node, code, hint, format string, args ...any) {
	r.add(definition.Fault{Pos: r.pos(n), Address: r.at, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *reader) add(f definition.Fault) {
	switch {
	case len(r.faults) < MaxFaults:
		r.faults = append(r.faults, f)
	case len(r.faults) == MaxFaults:
		f.Code, f.Message, f.Hint = "too-many-faults", "there are more faults, of which these are the first", ""
		r.faults = append(r.faults, f)
	}
}

// lose reports a fault that hides what somebody else may refer to.
func (r *reader) lose(n *yaml.Node, code, hint, format string, args ...any) {
	r.fault(n, code, hint, format, args...)
	r.lost()
}

func (r *reader) lost() {
	r.src.Partial = true
	if r.node != nil {
		r.node.Partial = true
	}
}

// harmless reads what nothing else refers to: faults in it hide no others.
func (r *reader) harmless(read func()) {
	src := r.src.Partial
	node := r.node != nil && r.node.Partial
	read()
	r.src.Partial = src
	if r.node != nil {
		r.node.Partial = node
	}
}

// value is the node, or what an alias stands for; nil when that was too often.
func (r *reader) value(n *yaml.Node) *yaml.Node {
	if r.walk == 0 {
		return nil
	}
	r.walk--
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

type entry struct {
	key   definition.Text
	at    *yaml.Node // the key
	value *yaml.Node
}

// entries reads a mapping; what names it in faults. Keys that are no text, and
// those that stand there already, are refused.
func (r *reader) entries(n *yaml.Node, what, hint string) []entry {
	if n.Kind != yaml.MappingNode {
		r.lose(n, "wrong-type", hint, "%s must be a mapping, not %s", what, describe(n))
		return nil
	}
	var all []entry
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := r.value(n.Content[i]), r.value(n.Content[i+1])
		switch {
		case key == nil || value == nil:
			return all
		case key.Kind == yaml.ScalarNode && key.Tag == "!!merge":
			r.lose(key, "merge-key", "write the keys out", "merge keys (<<) are not supported")
		case !isText(key):
			r.lose(key, "wrong-type", quotes(key), "a key of %s must be a text, not %s", what, describe(key))
		case lines[key.Value] > 0:
			r.lose(key, "duplicate-key", "keep one of them", "%s stands here already (line %d)", quote(key.Value), lines[key.Value])
		default:
			lines[key.Value] = key.Line
			all = append(all, entry{key: definition.Text{Value: key.Value, Pos: r.pos(key)}, at: key, value: value})
		}
	}
	return all
}

// elsewhere says of keys that are looked for in the wrong place where they stand.
var elsewhere = map[string]string{
	"deadline": "the process has one, at the top of the definition; timeout bounds one attempt at a task",
	"weight":   "the process has one, at the top of the definition",
	"tolerate": "write it in a step or a group",
	"pool":     "write it in a step or a group",
	"needs":    "write it in a step or a group",
	"rate":     "write it in a step",
	"env":      "write it in a step or a group",
	"limits":   "write it in a step or a group",
	"when":     "write it in a step or a group",
	"keep":     "write it in a step that runs a program",
	"process":  "write it in a step, instead of run",
	"repeat":   "write it in a group, or in a step with process",
	"max":      "write it under repeat, or attempts under retry",
	"until":    "write it under repeat",
	"carry":    "write it under repeat",
	"collect":  "write it under repeat",
}

// keys reads the entries by a table of keys. A key that is only misspelled is
// a fault, and then read as what was meant.
func (r *reader) keys(entries []entry, what string, table map[string]func(entry)) {
	known := make([]string, 0, len(table))
	for key := range table {
		known = append(known, key)
	}
	slices.Sort(known)
	given := make(map[string]bool, len(entries))
	for _, e := range entries {
		given[e.key.Value] = true
	}
	for _, e := range entries {
		key := e.key.Value
		if read := table[key]; read != nil {
			read(e)
			continue
		}
		if hint := elsewhere[key]; hint != "" {
			r.fault(e.at, "unknown-key", hint, "%s is no key of %s", quote(key), what)
			continue
		}
		meant, ok := r.spell.Nearest(key, known)
		if ok && !given[meant] {
			r.fault(e.at, "unknown-key", "did you mean "+quote(meant)+"?", "%s is no key of %s", quote(key), what)
			table[meant](e)
			continue
		}
		r.lose(e.at, "unknown-key", "there are "+strings.Join(known, ", "), "%s is no key of %s", quote(key), what)
	}
}
