package parse

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/deedrun/deed/orchestrator/definition"
)

// nodes reads the steps and groups below an address. Groups that are nested
// deeper than allowed are not read: Check says so, and a group that contains
// itself by an alias ends there.
func (r *reader) nodes(n *yaml.Node, above string, depth int) []*definition.Node {
	if depth > definition.MaxDepth {
		r.lost()
		return nil
	}
	var all []*definition.Node
	for _, e := range r.entries(n, "steps", "write a name and what it runs: {count: {run: words/count}}") {
		node := &definition.Node{Name: e.key}
		r.in(node, above+clip(e.key.Value), func() { r.read(node, e.value, depth) })
		all = append(all, node)
	}
	return all
}

// in reads something that belongs to a node.
func (r *reader) in(node *definition.Node, address string, read func()) {
	outer, at := r.node, r.at
	r.node, r.at = node, address
	read()
	r.node, r.at = outer, at
}

func (r *reader) read(node *definition.Node, n *yaml.Node, depth int) {
	hint := ""
	if isText(n) && n.Value != "" {
		hint = "write {run: " + clip(n.Value) + "}"
	}
	entries := r.entries(n, "a step", hint)
	node.Group = slices.ContainsFunc(entries, func(e entry) bool { return e.key.Value == "steps" })
	steps := map[string]func(entry){
		"run":   func(e entry) { node.Run = r.run(e.value) },
		"sh":    func(e entry) { node.Shell, _ = r.text(e.value, "sh") },
		"each":  func(e entry) { node.Each = r.each(e.value) },
		"in":    func(e entry) { node.In = r.bindings(e.value, "in") },
		"out":   func(e entry) { node.Out = r.bindings(e.value, "out") },
		"after": func(e entry) { node.After = r.texts(e.value, "after") },
	}
	settings := r.settings(&node.Settings)
	nested := func(e entry) {
		node.Group = true
		node.Steps = r.nodes(e.value, r.at+"/", depth+1)
	}
	if !node.Group {
		maps.Copy(settings, steps)
		settings["steps"] = nested // for a misspelled one
		r.keys(entries, "a step", settings)
		return
	}
	for key := range steps {
		steps[key] = func(e entry) {
			r.lose(e.at, "group-key", "write it in a step inside", "%s is a key of steps, and this is a group", quote(key))
		}
	}
	maps.Copy(settings, steps)
	settings["steps"] = nested
	r.keys(entries, "a group", settings)
}

// run reads a handler or the words of a command.
func (r *reader) run(n *yaml.Node) *definition.Run {
	if n.Kind == yaml.SequenceNode {
		return &definition.Run{Pos: r.pos(n), Command: r.command(n)}
	}
	if !isText(n) {
		r.lose(n, "wrong-type", `write words/count, or ["python3", "count.py"]`, "run must be a handler or a command, not %s", describe(n))
		return nil
	}
	return &definition.Run{Pos: r.pos(n), Handler: definition.Text{Value: n.Value, Pos: r.pos(n)}}
}

// command reads words as they are written: in [head, -n, 5] the number is a word.
func (r *reader) command(n *yaml.Node) []definition.Text {
	var words []definition.Text
	for _, item := range n.Content {
		if item = r.value(item); item == nil {
			break
		}
		if item.Kind != yaml.ScalarNode || isNull(item) {
			r.fault(item, "wrong-type", quotes(item), "a word of a command must be a text, not %s", describe(item))
			continue
		}
		words = append(words, definition.Text{Value: item.Value, Pos: r.pos(item)})
	}
	return words
}

// bindings reads names, or local names and what they stand for.
func (r *reader) bindings(n *yaml.Node, what string) []definition.BindingSource {
	var all []definition.BindingSource
	if n.Kind != yaml.MappingNode {
		for _, t := range r.texts(n, what) {
			all = append(all, definition.BindingSource{Local: t, Data: t})
		}
		return all
	}
	for _, e := range r.entries(n, what, "") {
		if t, ok := r.text(e.value, what+" "+clip(e.key.Value)); ok {
			all = append(all, definition.BindingSource{Local: e.key, Data: t})
		}
	}
	return all
}

// each reads what a step fans out over: a text, or a local name with one.
func (r *reader) each(n *yaml.Node) *definition.EachSource {
	var local definition.Text
	if n.Kind == yaml.MappingNode {
		entries := r.entries(n, "each", "")
		if len(entries) != 1 {
			r.lose(n, "bad-each", "read the others whole, with in:", "each has %d local names, it must have one", len(entries))
			return nil
		}
		local, n = entries[0].key, entries[0].value
	}
	if n.Kind == yaml.SequenceNode && len(n.Content) == 1 && isText(n.Content[0]) {
		r.fault(n, "wrong-type", "write "+clip(n.Content[0].Value), "each must be one name, not a list")
		n = n.Content[0]
	}
	t, ok := r.text(n, "each")
	if !ok {
		return nil
	}
	data, byKey, into, err := definition.ParseEach(t.Value)
	if err != nil {
		r.lose(n, "bad-each", "", "%s", err)
		return nil
	}
	t.Value = data
	if !local.Given() {
		local = t
	}
	return &definition.EachSource{BindingSource: definition.BindingSource{Local: local, Data: t}, ByKey: byKey, Into: into}
}
