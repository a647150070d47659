package definition

import "fmt"

// writes finds who writes which name: one step each, and no step an input.
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
					"%s is written by %s already (line %d)", quote(name), first.step.address, first.at.Line)
			default:
				c.writers[name] = writer{step: n, at: b.Data}
				c.names = append(c.names, name)
			}
		}
	}
}

// reads checks that somebody writes what a step reads.
func (c *checker) reads() {
	for _, n := range c.steps {
		if n.Each != nil {
			c.read(n, n.Each.Data, "each")
		}
		for _, b := range n.In {
			c.read(n, b.Data, "in")
		}
	}
}

func (c *checker) read(n *node, data Text, key string) {
	name := data.Value
	c.used[name] = true
	switch {
	case c.inputs[name].Given() || c.writers[name].step != nil || !c.name(data, n, "data") || c.src.Partial:
	case c.params[name] && key == "each":
		c.fault(data.Pos, n, "each-param", "fan out over an input or what a step writes", "%s is a param, never a list", quote(name))
	case c.params[name]:
		c.fault(data.Pos, n, "reads-param", "every step has all params, leave it out here", "%s is a param, not data", quote(name))
	case c.byAddress[name] != nil:
		c.fault(data.Pos, n, "unknown-name", c.instead(name), "nobody writes %s, it is the address of a step", quote(name))
	default:
		c.fault(data.Pos, n, "unknown-name", c.meant(name, c.names), "nobody writes %s", quote(name))
	}
}

// instead suggests what the step writes whose address stands where a name of
// data should.
func (c *checker) instead(address string) string {
	n := c.byAddress[address]
	if n.Group || len(n.Out) == 0 {
		return fmt.Sprintf("to wait for it write after: [%s]", address)
	}
	for _, b := range n.Out {
		c.used[b.Data.Value] = true
	}
	return fmt.Sprintf("%s writes %s", address, quote(n.Out[0].Data.Value))
}

// unused finds data that is given or written for nothing.
func (c *checker) unused() {
	if c.src.Partial {
		return
	}
	for _, in := range c.src.Inputs {
		if c.inputs[in.Value] == in && !c.used[in.Value] && namePattern.MatchString(in.Value) {
			c.fault(in.Pos, nil, "unused-input", "take it out, or name it in a step's in: or each:", "no step reads input %s", quote(in.Value))
		}
	}
	for _, n := range c.steps {
		for _, b := range n.Out {
			if w := c.writers[b.Data.Value]; w.step == n && w.at == b.Data && !c.used[b.Data.Value] {
				c.fault(b.Data.Pos, n, "unused-output", "take it out, or list it under outputs", "no step reads %s", quote(b.Data.Value))
			}
		}
	}
}
