package definition

import (
	"fmt"
	"slices"
)

// writes finds who writes which name: one step each, and no step an input. What a
// child writes is no name of the process around it, unless it hands it up.
func (c *checker) writes() {
	for _, n := range c.steps {
		for _, b := range n.Out {
			name := b.Data.Value
			first := c.writers[name]
			switch {
			case !c.name(b.Data, n, "data"):
			case c.inputs[name].Given():
				c.fault(b.Data.Pos, n, "writes-input", "give it another name", "%s is an input of the process, which no step may write", quote(name))
			case first.step == n:
				// locals has said so.
			case first.step != nil:
				c.fault(b.Data.Pos, n, "two-writers", "give one another name",
					"%s is written by %s already (line %d)", quote(name), c.outside(first.step), first.at.Line)
			case c.hides(name):
				c.fault(b.Data.Pos, n, "hidden-name", "give it another name, or hand it up with out: in "+c.around.outside(c.as),
					"%s is a name of the process around, which its child may not write", quote(name))
			default:
				c.writers[name] = writer{step: n, at: b.Data}
				c.names = append(c.names, name)
			}
		}
	}
	for _, child := range c.inline() {
		child.writes()
	}
}

// hides reports whether a name that is written here is already one of a process
// around this one, and not what this child hands up.
func (c *checker) hides(name string) bool {
	if c.around == nil {
		return false
	}
	if w := c.around.writers[name].step; c.around.inputs[name].Given() || w != nil && w != c.as {
		return true
	}
	return c.around.hides(name)
}

// reads checks that somebody writes what a step reads.
func (c *checker) reads() {
	for _, n := range c.steps {
		for _, b := range n.Each.names() {
			c.read(n, b.Data, "each")
		}
		for _, b := range n.In {
			c.read(n, b.Data, "in")
		}
		for at := n; at != nil; at = at.parent {
			if at.When != nil {
				for _, t := range at.When.names() {
					c.used[t.Value] = true // conditions says whether it is there
				}
			}
		}
		if child := c.children[n]; child != nil {
			for _, t := range child.free() {
				c.used[t.Value] = true
			}
		}
	}
	for _, child := range c.inline() {
		child.reads()
	}
}

func (c *checker) read(n *node, data Text, key string) {
	name := data.Value
	c.used[name] = true
	switch {
	case c.knows(name) || !c.name(data, n, "data") || c.src.Partial:
	case c.params[name] && key == "each":
		c.fault(data.Pos, n, "each-param", "fan out over an input or what a step writes", "%s is a param, never a list", quote(name))
	case c.params[name]:
		c.fault(data.Pos, n, "reads-param", "every step has all params, leave it out here", "%s is a param, not data", quote(name))
	case c.byAddress[name] != nil:
		c.fault(data.Pos, n, "unknown-name", c.instead(name), "nobody writes %s, it is the address of a step", quote(name))
	default:
		c.fault(data.Pos, n, "unknown-name", c.meant(name, c.visible()), "nobody writes %s", quote(name))
	}
}

// visible lists the data that a step may read: what is written here, and around.
func (c *checker) visible() []string {
	if c.around == nil {
		return c.names
	}
	return slices.Concat(c.names, c.around.visible())
}

// instead suggests what the step writes whose address stands where a name of
// data should.
func (c *checker) instead(address string) string {
	n := c.byAddress[address]
	if len(n.Out) == 0 {
		return fmt.Sprintf("to wait for it write after: [%s]", c.prefix+address)
	}
	for _, b := range n.Out {
		c.used[b.Data.Value] = true
	}
	return fmt.Sprintf("%s writes %s", c.prefix+address, quote(n.Out[0].Data.Value))
}

// unused finds data that is given or written for nothing.
func (c *checker) unused() {
	if c.src.Partial {
		return
	}
	where := func(what string) (message, hint string) {
		if c.around == nil {
			return "no step reads input " + what, "take it out, or name it in a step's in: or each:"
		}
		return "no step inside reads " + what, "take it out, or name it in the in: or each: of a step inside"
	}
	for _, name := range c.names {
		if in := c.inputs[name]; in.Given() && !c.used[name] && namePattern.MatchString(name) {
			message, hint := where(quote(name))
			c.fault(in.Pos, nil, "unused-input", hint, "%s", message)
		}
	}
	for _, n := range c.steps {
		for _, b := range n.Out {
			if w := c.writers[b.Data.Value]; w.step == n && w.at == b.Data && !c.used[b.Data.Value] {
				hint := "take it out, or list it under outputs"
				if c.around != nil {
					hint = "take it out, or list it under out: of " + c.around.outside(c.as)
				}
				c.fault(b.Data.Pos, n, "unused-output", hint, "no step reads %s", quote(b.Data.Value))
			}
		}
	}
	for _, child := range c.inline() {
		child.unused()
	}
}
