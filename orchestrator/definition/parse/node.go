package parse

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

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
		"out":   func(e entry) { node.Out = r.outputs(e.value) },
		"after": func(e entry) { node.After = r.texts(e.value, "after") },

		"keep":    func(e entry) { node.Keep = r.yes(e.value, "keep") },
		"process": func(e entry) { node.Process, _ = r.text(e.value, "process") },
		"when":    func(e entry) { node.When = r.condition(e.value, "when") },
		"repeat":  func(e entry) { node.Repeat = r.repeat(e) },
		"params":  func(e entry) { node.Params = r.stepParams(e) },
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
	for _, key := range []string{"run", "sh", "keep"} {
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

// outputs reads names, or local names with the names or the types that they have.
func (r *reader) outputs(n *yaml.Node) []definition.OutputSource {
	var all []definition.OutputSource
	if n.Kind != yaml.MappingNode {
		for _, b := range r.bindings(n, "out") {
			all = append(all, definition.OutputSource{BindingSource: b})
		}
		return all
	}
	for _, e := range r.entries(n, "out", "") {
		out := definition.OutputSource{BindingSource: definition.BindingSource{Local: e.key, Data: e.key}}
		what := "out " + clip(e.key.Value)
		ok := true
		if e.value.Kind == yaml.MappingNode {
			r.keys(r.entries(e.value, what, ""), what, map[string]func(entry){
				"json": func(e entry) { out.JSON, ok = r.text(e.value, "json") },
				"as": func(e entry) {
					if t, isText := r.text(e.value, "as"); isText {
						out.Data = t
					}
				},
			})
		} else {
			out.Data, ok = r.text(e.value, what)
		}
		if ok {
			all = append(all, out)
		}
	}
	return all
}

// repeat reads how a child is repeated.
func (r *reader) repeat(e entry) *definition.RepeatSource {
	n := e.value
	repeat := &definition.RepeatSource{Pos: r.pos(e.at)}
	r.keys(r.entries(n, "repeat", "write {until: done, max: 100}"), "repeat", map[string]func(entry){
		"carry":   func(e entry) { repeat.Carry = r.carried(e.value) },
		"collect": func(e entry) { repeat.Collect = r.texts(e.value, "collect") },
		"until":   func(e entry) { repeat.Until = r.condition(e.value, "until") },
		"max": func(e entry) {
			repeat.Max = r.whole(e.value, "max")
			r.node.Partial = r.node.Partial || repeat.Max == nil
		},
	})
	return repeat
}

// carried reads what a round hands on to the next: by its input, its output.
func (r *reader) carried(n *yaml.Node) []definition.BindingSource {
	if n.Kind != yaml.MappingNode {
		r.lose(n, "wrong-type", "write {cursor: next}: an input of the next round, and the output of this one", "carry must be a mapping, not %s", describe(n))
		return nil
	}
	return r.bindings(n, "carry")
}

// stepParams reads the params that a step gives its tasks.
func (r *reader) stepParams(e entry) []definition.ParamSource {
	var all []definition.ParamSource
	for _, p := range r.entries(e.value, "params", "write {top: 20}") {
		value, ok := r.scalar(p.value, "param "+clip(p.key.Value))
		if ok && value == nil {
			r.fault(p.value, "wrong-type", "write a value, or take it out", "param %s has no value", quote(p.key.Value))
			ok = false
		}
		if ok {
			all = append(all, definition.ParamSource{Name: p.key, Value: value, At: r.pos(p.value)})
		}
	}
	return all
}

// each reads what a step fans out over: a text, or local names, each with one.
func (r *reader) each(n *yaml.Node) *definition.EachSource {
	if n.Kind == yaml.MappingNode {
		return r.eachOf(n)
	}
	if n.Kind == yaml.SequenceNode && len(n.Content) == 1 && isText(n.Content[0]) {
		r.fault(n, "wrong-type", "write "+clip(n.Content[0].Value), "each must be one name, not a list")
		n = n.Content[0]
	}
	if n.Kind == yaml.SequenceNode {
		var names []string
		for _, item := range n.Content {
			names = append(names, clip(item.Value))
		}
		r.lose(n, "bad-each", "to join them write "+clip(strings.Join(names, ", "))+" by key", "each must be a text, not a list")
		return nil
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
	return joinedEach(r.named(n, data), byKey, into)
}

// named are names that stand in one text, each in its place.
func (r *reader) named(n *yaml.Node, data []string) []definition.BindingSource {
	var all []definition.BindingSource
	behind := 0
	for _, name := range data {
		pos := r.pos(n)
		if i := strings.Index(n.Value[behind:], name); i >= 0 && n.Style == 0 {
			pos.Column += utf8.RuneCountInString(n.Value[:behind+i])
			behind += i + len(name)
		}
		t := definition.Text{Value: name, Pos: pos}
		all = append(all, definition.BindingSource{Local: t, Data: t})
	}
	return all
}

func joinedEach(all []definition.BindingSource, byKey bool, into *int) *definition.EachSource {
	return &definition.EachSource{BindingSource: all[0], With: all[1:], ByKey: byKey, Into: into}
}

// eachOf reads local names with what they stand for; several are joined by key.
func (r *reader) eachOf(n *yaml.Node) *definition.EachSource {
	var all []definition.BindingSource
	var byKey bool
	var into *int
	for _, e := range r.entries(n, "each", "") {
		t, ok := r.text(e.value, "each "+clip(e.key.Value))
		if !ok {
			return nil
		}
		data, keyed, buckets, err := definition.ParseEach(t.Value)
		switch {
		case err != nil:
			r.lose(e.value, "bad-each", "", "%s", err)
			return nil
		case len(data) > 1:
			r.lose(e.value, "bad-each", "give each a local name of its own", "%s stands for several names", clip(e.key.Value))
			return nil
		case len(all) > 0 && (!byKey || !keyed):
			r.lose(n, "bad-each", "join them by key, like {left: orders by key, right: customers by key}, or read the others whole, with in:", "each has several local names")
			return nil
		case len(all) > 0 && !equal(into, buckets):
			r.lose(e.value, "bad-each", "say the same of all", "each joins by different keys")
			return nil
		}
		t.Value = data[0]
		all, byKey, into = append(all, definition.BindingSource{Local: e.key, Data: t}), keyed, buckets
	}
	if len(all) == 0 {
		r.lose(n, "bad-each", "write the name of a list", "each names nothing")
		return nil
	}
	return joinedEach(all, byKey, into)
}

func equal(a, b *int) bool { return a == b || a != nil && b != nil && *a == *b }
