package definition

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/deedrun/deed/task"
)

// child makes the definition of a step's child, and wires it: what the steps of a
// group find around it, the child is given.
func (r *resolver) child(s *Step, n *node, given map[string]json.RawMessage, around Settings) {
	c := r.children[n]
	inner := &resolver{checker: c, said: r.below(n), around: around, files: r.files}
	var d Definition
	if n.Defined != nil {
		inner.whole = n.Defined.ProcessSettings
		inner.said = inner.settingsUnder(inner.said)
		inner.values = r.childValues(n, given)
		d = inner.definition()
	} else {
		inner.values = maps.Clone(r.values)
		if len(given) > 0 && inner.values == nil {
			inner.values = map[string]json.RawMessage{}
		}
		maps.Copy(inner.values, given)
		for _, t := range c.free() {
			s.In = append(s.In, Binding{Local: t.Value, Data: t.Value})
		}
		d = Definition{Name: n.Name.Value, Params: inner.values, Files: r.filesOf(r.src), Inputs: inputsOf(n, c), Outputs: handedUpBy(n)}
		d.Steps = inner.stepsOf()
	}
	s.Process = &d
	if n.Repeat != nil {
		s.Repeat = n.Repeat.resolved()
	}
}

// inputsOf are what a child is given: one by one, and what it finds around it.
func inputsOf(n *node, c *checker) []string {
	var all []string
	for _, b := range n.given() {
		all = append(all, b.Local.Value)
	}
	return append(all, words(c.free())...)
}

// handedUpBy are the outputs of a group of children: for the process around it, for
// the next round, and for the condition that ends the rounds.
func handedUpBy(n *node) []string {
	var all []string
	add := func(name string) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	for _, b := range n.Out {
		add(b.Local.Value)
	}
	if n.Repeat == nil {
		return all
	}
	for _, b := range n.Repeat.Carry {
		add(b.Data.Value)
	}
	if n.Repeat.Until != nil {
		for _, t := range n.Repeat.Until.names() {
			if t.Value != Round {
				add(t.Value)
			}
		}
	}
	return all
}

func (s *RepeatSource) resolved() *Repeat {
	r := &Repeat{Collect: words(s.Collect), Max: s.Max.Value}
	for _, b := range s.Carry {
		if r.Carry == nil {
			r.Carry = map[string]string{}
		}
		r.Carry[b.Local.Value] = b.Data.Value
	}
	if s.Until != nil {
		r.Until = &Condition{Text: s.Until.Value, Expr: s.Until.Expr.expr()}
	}
	return r
}

// paramsOf are the params that a step gives its tasks, or its child.
func (r *resolver) paramsOf(n *node) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	for _, p := range n.Params {
		if all == nil {
			all = map[string]json.RawMessage{}
		}
		all[p.Name.Value] = r.paramOf(p)
	}
	return all
}

// paramOf keeps the type of a param that a value stands for as a whole; inside a
// text it is a text.
func (r *resolver) paramOf(p ParamSource) json.RawMessage {
	text, isText := textOf(p.Value)
	if !isText {
		return p.Value
	}
	if name, ok := onlyParam(text); ok {
		return r.values[name]
	}
	text, _ = substitute(text, func(param string) (string, bool) { return argument(r.values[param]), true })
	value, _ := json.Marshal(text) // a text always has JSON
	return value
}

// childValues are the params of a definition that a step names: what the step
// gives, which is of the type of the default, or the default. What is missing or
// unknown Check has refused.
func (r *resolver) childValues(n *node, given map[string]json.RawMessage) map[string]json.RawMessage {
	values := map[string]json.RawMessage{}
	for _, p := range n.Defined.Params {
		name := p.Name.Value
		value, isGiven := given[name]
		if !isGiven {
			values[name] = p.Default
			continue
		}
		if is, wants := kindOfDefault(value), kindOfDefault(p.Default); wants != "" && is != wants {
			i := slices.IndexFunc(n.Params, func(p ParamSource) bool { return p.Name.Value == name })
			r.fault(n.Params[i].At, n, "bad-param", "", "param %s of %s is a %s, as its default is, and not a %s", quote(name), n.Process.Value, wants, is)
		}
		values[name] = value
	}
	if len(values) == 0 {
		return nil
	}
	return values
}

// checkStandard checks what params are only when the process starts.
func (r *resolver) checkStandard(n *node, h StandardHandler, given map[string]json.RawMessage) {
	for _, p := range n.Params {
		own, known := h.Param(p.Name.Value)
		if !known {
			continue
		}
		if err := own.Check(given[p.Name.Value]); err != nil {
			r.fault(p.At, n, "bad-param", err.Error(), "param %s of %s cannot be %s", quote(p.Name.Value), h.Name, clip(string(given[p.Name.Value])))
		}
	}
}

// located finds the bytes of the files that travel.
func (r *resolver) located(files []task.File) {
	for _, f := range files {
		r.files[f.Name] = f
	}
	wanted := map[string]bool{}
	for _, want := range r.src.AllFiles() {
		wanted[want.Value] = true
		if _, ok := r.files[want.Value]; !ok {
			r.fault(want.Pos, nil, "missing-file", "", "file %s was not handed in", quote(want.Value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		if !wanted[name] {
			r.fault(Pos{}, nil, "unknown-file", "list it under files", "file %s is handed in, but not listed", quote(name))
		}
	}
}

// filesOf are the files of one definition, by the names that it gives them.
func (r *resolver) filesOf(src *Source) []task.File {
	var all []task.File
	for _, f := range src.Files {
		if found, ok := r.files[src.below(f.Value)]; ok {
			all = append(all, task.File{Name: f.Value, Ref: found.Ref})
		}
	}
	return all
}
