package parse

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition"
)

// Tree is a document of another kind than a definition, such as its
// specifications: read within the same bounds, every value with its place.
// Aliases are replaced by what they stand for.
type Tree struct {
	definition.Pos
	Entries []Entry // of a mapping: keys are texts, each once
	Items   []*Tree // of a list
	node    *yaml.Node
}

// Entry is a key of a mapping and its value.
type Entry struct {
	Key   definition.Text
	Value *Tree
}

// Any reads any document, YAML or, by the name, JSON. After faults there is no tree.
func Any(name string, data []byte) (*Tree, []definition.Fault) {
	decode := decodeYAML
	if strings.EqualFold(filepath.Ext(name), ".json") {
		decode = decodeJSON
	}
	root, walk, refused := admit(data, decode)
	if refused != nil {
		if about := refusedAny[refused.Code]; about != "" {
			refused.Message, refused.Hint = about, ""
		}
		refused.File = name
		return nil, []definition.Fault{*refused}
	}
	r := &reader{src: &definition.Source{Pos: definition.Pos{File: name}}, walk: 2 * walk} // a value in a mapping is met twice
	t := r.tree(root, 0)
	if r.walk == 0 {
		r.fault(root, "too-large", "", "%s", refusedAny["too-large"])
	}
	if len(r.faults) > 0 {
		definition.SortFaults(r.faults)
		return nil, r.faults
	}
	return t, nil
}

// refusedAny says without the word definition what is wrong with a document.
var refusedAny = map[string]string{
	"too-large":         "the file is too large",
	"not-text":          "this is not a text file; it should be UTF-8",
	"empty-file":        "the file is empty",
	"several-documents": "a second document begins here; keep one a file",
}

func (r *reader) tree(n *yaml.Node, depth int) *Tree {
	t := &Tree{Pos: r.pos(n), node: n}
	value := r.value(n)
	if value == nil {
		return t
	}
	if t.node = value; depth > maxNesting {
		r.fault(n, "too-deep", "", "it is nested too deep")
		return t
	}
	switch value.Kind {
	case yaml.MappingNode:
		for _, e := range r.entries(value, "a mapping", "") {
			t.Entries = append(t.Entries, Entry{Key: e.key, Value: r.tree(e.value, depth+1)})
		}
	case yaml.SequenceNode:
		for _, item := range value.Content {
			t.Items = append(t.Items, r.tree(item, depth+1))
		}
	}
	return t
}

// IsMapping reports whether it is a mapping.
func (t *Tree) IsMapping() bool { return t.node.Kind == yaml.MappingNode }

// IsList reports whether it is a list.
func (t *Tree) IsList() bool { return t.node.Kind == yaml.SequenceNode }

// IsNull reports whether there is nothing.
func (t *Tree) IsNull() bool { return isNull(t.node) }

// Text is the value of a text; ok is false for what is none.
func (t *Tree) Text() (text string, ok bool) {
	if !isText(t.node) {
		return "", false
	}
	return t.node.Value, true
}

// Scalar is a text, number or boolean, as it is written; ok is false for what is none.
func (t *Tree) Scalar() (text string, ok bool) {
	if t.node.Kind != yaml.ScalarNode || isNull(t.node) {
		return "", false
	}
	return t.node.Value, true
}

// Whole is the value of a whole number; ok is false for what is none.
func (t *Tree) Whole() (n int, ok bool) {
	if t.node.Kind != yaml.ScalarNode || t.node.Tag != "!!int" || t.node.Decode(&n) != nil {
		return 0, false
	}
	return n, true
}

// JSON is the value as JSON; an error says that it has none, as infinity.
func (t *Tree) JSON() (json.RawMessage, error) {
	var value any
	if err := t.node.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// String says what stands there, for faults: "a list", "the text \"a\"".
func (t *Tree) String() string { return describe(t.node) }
