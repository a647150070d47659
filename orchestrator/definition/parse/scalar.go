package parse

import (
	"encoding/json"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition"
)

// isText accepts a date without quotes as what was written.
func isText(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (n.Tag == "!!str" || n.Tag == "!!timestamp")
}

func isNumber(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float")
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// text reads a text; what names it in faults.
func (r *reader) text(n *yaml.Node, what string) (definition.Text, bool) {
	if !isText(n) {
		r.lose(n, "wrong-type", quotes(n), "%s must be a text, not %s", what, describe(n))
		return definition.Text{}, false
	}
	return definition.Text{Value: n.Value, Pos: r.pos(n)}, true
}

// texts reads a list of texts. One text alone is a fault, and then read as a list of one.
func (r *reader) texts(n *yaml.Node, what string) []definition.Text {
	if isText(n) && n.Value != "" {
		r.fault(n, "wrong-type", "write ["+clip(n.Value)+"]", "%s must be a list, not %s", what, describe(n))
		return []definition.Text{{Value: n.Value, Pos: r.pos(n)}}
	}
	if n.Kind != yaml.SequenceNode {
		r.lose(n, "wrong-type", "write [] for an empty one", "%s must be a list, not %s", what, describe(n))
		return nil
	}
	var all []definition.Text
	for _, item := range n.Content {
		if item = r.value(item); item == nil {
			break
		}
		if t, ok := r.text(item, "an element of "+what); ok {
			all = append(all, t)
		}
	}
	return all
}

// scalar reads the default of a param as JSON; nil is a param without one.
func (r *reader) scalar(n *yaml.Node, what string) (json.RawMessage, bool) {
	var v any
	switch {
	case isNull(n):
		return nil, true
	case isText(n):
		v = n.Value
	case n.Kind == yaml.ScalarNode && slices.Contains([]string{"!!int", "!!float", "!!bool"}, n.Tag):
		if n.Decode(&v) != nil {
			v = nil
		}
	}
	value, err := json.Marshal(v)
	if v == nil || err != nil {
		r.fault(n, "wrong-type", quotes(n), "%s must be a text, a number, a boolean or null, not %s", what, describe(n))
		return nil, false
	}
	return value, true
}

// describe says what stands there instead.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind != yaml.ScalarNode:
		return "an alias"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!str", "!!timestamp":
		if n.Value == "" {
			return "an empty text"
		}
		return "the text " + quote(n.Value)
	case "!!int", "!!float":
		return "the number " + clip(n.Value)
	case "!!bool":
		return "the boolean " + clip(n.Value)
	}
	return "a value of type " + quote(n.Tag)
}

// quotes is the hint for a scalar that would be a text if it were quoted.
func quotes(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Value != "" && !isNull(n) {
		return "write " + quote(n.Value)
	}
	return ""
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
