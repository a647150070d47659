package definition

import (
	"fmt"
	"slices"
)

// types are those that a small value may have.
var types = []Type{Number, String, Boolean, Object, Array}

func (c *checker) nearType(text string) string {
	var known []string
	for _, t := range types {
		known = append(known, string(t))
	}
	return c.spell.Choice(text, known)
}

// names lists the names of data that the condition reads, with their first places.
func (s *ConditionSource) names() []Text {
	var all []Text
	seen := map[string]bool{}
	var visit func(e ExprSource)
	visit = func(e ExprSource) {
		switch e.Op {
		case OpName, OpCount, OpKeys, OpBytes:
			if !seen[e.Name] && e.Name != "" {
				seen[e.Name] = true
				all = append(all, Text{Value: e.Name, Pos: e.Pos})
			}
		}
		for _, arg := range e.Args {
			visit(arg)
		}
	}
	visit(s.Expr)
	return all
}

// condition is the expression without its places.
func (e ExprSource) expr() Expr {
	plain := Expr{Op: e.Op, Name: e.Name, Value: e.Value}
	for _, arg := range e.Args {
		plain.Args = append(plain.Args, arg.expr())
	}
	return plain
}

// conditions checks names and types of expressions, and what rounds carry.
func (c *checker) conditions() {
	for _, n := range c.nodes {
		if n.When != nil {
			c.condition(n, n.When, sight{
				data: c.value, knows: c.knows, names: c.visible, param: c.paramType, params: c.params, paramList: c.paramList, partial: c.src.Partial,
			})
		}
		if n.Repeat == nil || !n.child() || n.Process.Given() && n.Defined == nil {
			continue
		}
		c.carries(n)
		if n.Repeat.Until != nil {
			c.condition(n, n.Repeat.Until, c.roundOf(n))
		}
	}
	for _, child := range c.inline() {
		child.conditions()
	}
}

// roundOf is what the condition that ends a repeat looks at: what a round writes,
// and its number.
func (c *checker) roundOf(n *node) sight {
	outputs := c.outputsOf(n)
	numbered := !slices.Contains(outputs, Round)
	return sight{
		data: func(name string) (valueType, string) {
			if numbered && name == Round {
				return valueType{is: Number}, ""
			}
			t, hint := c.children[n].value(name)
			if t.is == Array && t.of != "" {
				return valueType{}, "a step fans out over it; let one more step compute one value"
			}
			return t, hint
		},
		knows: func(name string) bool { return slices.Contains(outputs, name) || numbered && name == Round },
		names: func() []string { return append(slices.Clone(outputs), Round) },
		param: c.paramType, params: c.params, paramList: c.paramList, round: numbered,
		partial: c.src.Partial || n.Partial || n.Defined != nil && n.Defined.Partial,
	}
}

// paramType is the type of a param by its default; "" if it has none.
func (c *checker) paramType(name string) Type {
	if c.around != nil {
		for _, p := range c.as.Params {
			if p.Name.Value == name {
				return c.around.kindOf(p)
			}
		}
		return c.around.paramType(name)
	}
	for _, p := range c.src.Params {
		if p.Name.Value == name {
			return kindOfDefault(p.Default)
		}
	}
	return ""
}

// value is the type of a name as an expression sees it; else hint says why it has
// none, and what to do.
func (c *checker) value(name string) (t valueType, hint string) {
	w := c.writers[name]
	if w.step == nil {
		return c.inputValue(name)
	}
	typ, hint := c.declared(w.step, name)
	if typ == "" {
		return valueType{}, hint
	}
	n := w.step
	local := localOf(n, name)
	switch {
	case n.Each != nil:
		return valueType{is: Array, of: typ}, ""
	case n.Repeat != nil && slices.ContainsFunc(n.Repeat.Collect, func(t Text) bool { return t.Value == local }):
		return valueType{}, "it is collected from rounds; let a step compute one value of it"
	}
	return valueType{is: typ}, ""
}

// declared is the type of what a step writes under a name.
func (c *checker) declared(n *node, name string) (typ Type, hint string) {
	for _, out := range n.Out {
		if out.Data.Value != name {
			continue
		}
		if out.JSON.Given() {
			return Type(out.JSON.Value), ""
		}
		child := c.children[n]
		if child == nil {
			return "", fmt.Sprintf("declare it where %s writes it: out: {%s: {json: number}}", c.outside(n), declare(out))
		}
		inner, hint := child.value(out.Local.Value)
		switch {
		case inner.is == "":
			return "", hint
		case inner.is == Array && inner.of != "" && n.Each == nil:
			return "", fmt.Sprintf("%s fans out over it; let a step in it compute one value", child.outside(child.writers[out.Local.Value].step))
		case inner.is == Array && inner.of != "":
			return inner.of, ""
		}
		return inner.is, ""
	}
	return "", ""
}

func declare(out OutputSource) string {
	if out.Local.Value == out.Data.Value {
		return out.Local.Value
	}
	return out.Local.Value + ": {as: " + out.Data.Value + ", …}"
}

func localOf(n *node, data string) string {
	for _, out := range n.Out {
		if out.Data.Value == data {
			return out.Local.Value
		}
	}
	return data
}

// inputValue is the type of what a child is given: its element, and what it finds
// around it as one value. A list of values reaches it as data.
func (c *checker) inputValue(name string) (t valueType, hint string) {
	if c.around == nil {
		return valueType{}, "inputs have no types; let a step write it as out: {value: {json: number}}"
	}
	given := Text{}
	element := false
	for _, b := range c.as.Each.names() {
		if b.Local.Value == name {
			given, element = b.Data, !c.as.Each.ByKey
		}
	}
	for _, b := range c.as.In {
		if b.Local.Value == name {
			given = b.Data
		}
	}
	if r := c.as.Repeat; r != nil {
		for _, b := range r.Carry {
			if b.Local.Value == name {
				if w := c.writers[b.Data.Value].step; w != nil && w.Each == nil {
					return c.value(b.Data.Value)
				}
				return valueType{}, "it is carried as a list; let a step compute one value of it"
			}
		}
	}
	if !given.Given() {
		given.Value = name
	}
	t, hint = c.around.value(given.Value)
	switch {
	case t.is == Array && t.of != "" && element:
		return valueType{is: t.of}, ""
	case t.is == Array && t.of != "":
		return valueType{}, "it is a list here, of which only count, keys and bytes are known; let a step outside compute one value of it"
	}
	return t, hint
}
