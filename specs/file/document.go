package file

import (
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/definition/parse"
)

// document is a file as it was written.
type document struct {
	definition definition.Text
	about      string
	specs      []*told
}

// told is one specification as it was written.
type told struct {
	name   definition.Text
	inputs inputs
	params texts
	set    texts
	given  []happening
	when   *happening
	then   expectation
}

// inputs are what a process reads: a number of parts each, or their keys.
type inputs struct {
	definition.Pos
	parts []named
}

type named struct {
	name  definition.Text
	parts parts
}

// texts are params or settings.
type texts struct {
	definition.Pos
	texts map[string]string
}

// document reads the whole file. inputs, params and set at the top are for all
// specifications that have none of their own.
func (r *reader) document(t *parse.Tree, path string) document {
	var d document
	var all told
	var list *parse.Tree
	r.keys(t, "a file of specifications", "write {specs: […]}", table{
		"definition": func(e parse.Entry) { d.definition = r.text(e) },
		"about":      func(e parse.Entry) { d.about = strings.TrimSpace(r.text(e).Value) },
		"inputs":     func(e parse.Entry) { all.inputs = r.inputs(e) },
		"params":     func(e parse.Entry) { all.params = r.texts(e) },
		"set":        func(e parse.Entry) { all.set = r.texts(e) },
		"specs":      func(e parse.Entry) { list = e.Value },
	}, "deed", "steps")
	switch {
	case slices.ContainsFunc(t.Entries, func(e parse.Entry) bool { return e.Key.Value == "deed" || e.Key.Value == "steps" }):
		r.fault(t.Pos, "a-definition", "its specifications belong into "+strings.TrimSuffix(path, ".yaml")+Ending, "this is a definition")
		return d
	case list == nil:
		if len(r.faults) == 0 {
			r.fault(t.Pos, "no-specs", "write specs: and a list", "there are no specifications")
		}
		return d
	case !list.IsList():
		r.fault(list.Pos, "wrong-type", "begin each with - name:", "specs must be a list, not %s", list)
		return d
	}
	lines := map[string]int{}
	for _, item := range list.Items {
		s := &told{name: definition.Text{Pos: item.Pos}, inputs: all.inputs, params: all.params, set: all.set}
		r.spec(s, item)
		if line := lines[s.name.Value]; line > 0 && s.name.Value != "" {
			r.fault(s.name.Pos, "duplicate-name", "say how this one differs", "a specification with this name stands on line %d", line)
		}
		lines[s.name.Value] = s.name.Line
		d.specs = append(d.specs, s)
	}
	return d
}

func (r *reader) spec(s *told, t *parse.Tree) {
	before := len(r.faults)
	r.keys(t, "a specification", "write {name: …, when: …, then: …}", table{
		"name":   func(e parse.Entry) { s.name = r.text(e) },
		"inputs": func(e parse.Entry) { s.inputs = r.inputs(e) },
		"params": func(e parse.Entry) { s.params = r.texts(e) },
		"set":    func(e parse.Entry) { s.set = r.texts(e) },
		"given":  func(e parse.Entry) { s.given = r.given(e.Value) },
		"when":   func(e parse.Entry) { s.when = r.when(e.Value) },
		"then":   func(e parse.Entry) { s.then = r.then(e) },
	})
	if len(r.faults) > before {
		return
	}
	for _, missing := range []struct {
		key   string
		given bool
		hint  string
	}{
		{"name", s.name.Value != "", "write a sentence: name: a text without words is no failure"},
		{"when", s.when != nil, "say what happens: when: {done: STEP}, or when: started"},
		{"then", s.then.Line > 0, "say what follows; then: nothing, if nothing does"},
	} {
		if !missing.given {
			r.fault(t.Pos, "missing-key", missing.hint, "a specification needs %s", missing.key)
		}
	}
}

func (r *reader) given(t *parse.Tree) []happening {
	if !t.IsList() {
		r.fault(t.Pos, "wrong-type", "begin each with a dash: - done: STEP", "given must be a list of what happened, not %s", t)
		return nil
	}
	var all []happening
	for _, item := range t.Items {
		if h, ok := r.happening(item); ok {
			all = append(all, h)
		}
	}
	return all
}

func (r *reader) when(t *parse.Tree) *happening {
	if t.IsList() {
		r.fault(t.Pos, "wrong-type", "put what comes before it under given", "when must be one thing that happens, not %s", t)
		return nil
	}
	if h, ok := r.happening(t); ok {
		return &h
	}
	return nil
}

func (r *reader) inputs(e parse.Entry) inputs {
	in := inputs{Pos: e.Key.Pos}
	for _, entry := range r.entries(e.Value, "inputs", "write {NAME: 3}") {
		if p, ok := r.parts(entry.Value, "input "+quote(entry.Key.Value)); ok {
			in.parts = append(in.parts, named{entry.Key, p})
		}
	}
	return in
}

func (r *reader) texts(e parse.Entry) texts {
	t := texts{Pos: e.Key.Pos, texts: map[string]string{}}
	for _, entry := range r.entries(e.Value, e.Key.Value, "write {NAME: VALUE}") {
		text, ok := entry.Value.Scalar()
		if !ok {
			r.fault(entry.Value.Pos, "wrong-type", "", "%s must be a text, a number or a boolean, not %s", quote(entry.Key.Value), entry.Value)
			continue
		}
		t.texts[entry.Key.Value] = text
	}
	return t
}
