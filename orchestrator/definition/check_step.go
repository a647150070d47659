package definition

import (
	"fmt"
	"strings"
)

// nodesAndSettings checks each step and group for itself, and the settings by address.
func (c *checker) nodesAndSettings() {
	if len(c.nodes) == 0 && !c.src.Partial {
		c.fault(c.src.Pos, nil, "no-steps", "write at least one step under steps:", "the definition has no steps")
	}
	for _, n := range c.nodes {
		c.node(n)
	}
	for _, s := range c.src.Settings {
		n := c.byAddress[s.Address.Value]
		switch {
		case n != nil:
			c.settings(n, s.Settings)
		case !addressPattern.MatchString(s.Address.Value):
			c.badAddress(s.Address, nil)
		case !c.src.Partial:
			c.fault(s.Address.Pos, nil, "unknown-address", c.nearAddress(s.Address.Value),
				"settings for %s, which does not exist", quote(s.Address.Value))
		}
	}
}

func (c *checker) badAddress(at Text, n *node) {
	c.fault(at.Pos, n, "bad-address", "write the names from the outside in, like group/step", "%s is no address", quote(at.Value))
}

func (c *checker) nearAddress(address string) string { return c.spell.address(address, c.addresses) }

func (c *checker) node(n *node) {
	what := "step"
	if n.Group {
		what = "group"
	}
	named := c.name(n.Name, n, what)
	switch {
	case named && c.byAddress[n.address] != n:
		c.fault(n.Name.Pos, n, "duplicate-name", "give one of them another name", "%s %s exists already", what, quote(n.Name.Value))
	case n.parent == nil && n.Name.Value == Reserved:
		c.fault(n.Name.Pos, n, "reserved-name", "give it another name", "the name %q is deed's own", Reserved)
	}
	if depth := strings.Count(n.address, "/"); n.Group && depth == MaxDepth {
		c.fault(n.Name.Pos, n, "too-deep", "nest less", "groups are nested more than %d deep", MaxDepth)
	}
	c.settings(n, n.Settings)
	if n.Group {
		if len(n.Steps) == 0 && !n.Partial {
			c.fault(n.Name.Pos, n, "empty-group", "write a step into it, or take it out", "the group has no steps")
		}
		return
	}
	c.run(n)
	c.locals(n)
}

// settings checks values; where they stand makes no difference.
func (c *checker) settings(n *node, s Settings) {
	c.faults = append(c.faults, s.faults(n.address, n.Group)...)
}

// run checks what executes the tasks: exactly one of run and sh.
func (c *checker) run(n *node) {
	switch {
	case n.Run != nil && n.Shell.Given():
		c.fault(n.Shell.Pos, n, "run-and-sh", "take one of them out", "the step has both run and sh")
	case n.Run == nil && !n.Shell.Given():
		if !n.Partial {
			c.fault(n.Name.Pos, n, "no-run", "write run: with a handler or a command, or sh: with a script, or steps: for a group",
				"nothing says what the step runs")
		}
	}
	if n.Shell.Given() {
		c.shell(n)
	}
	switch {
	case n.Run == nil:
	case n.Run.Handler.Given():
		c.handler(n)
	case len(n.Run.Command) == 0 || n.Run.Command[0].Value == "":
		c.fault(n.Run.Pos, n, "bad-run", `write run: ["python3", "count.py"]`, "the command is empty")
	default:
		for _, word := range n.Run.Command {
			c.word(n, word)
		}
	}
}

func (c *checker) handler(n *node) {
	h := n.Run.Handler
	name, version, pinned := strings.Cut(h.Value, "@")
	switch {
	case strings.ContainsAny(h.Value, " \t\n"):
		words := strings.Fields(h.Value)
		c.fault(h.Pos, n, "bad-run", "for a program write "+commandLike(words)+", for a script sh:", "%s is no handler", quote(h.Value))
	case len(name) > MaxHandler || !handlerPattern.MatchString(name):
		c.fault(h.Pos, n, "bad-run", "a handler is written like words/count", "%s is no handler", quote(h.Value))
	case pinned && !versionPattern.MatchString(version):
		c.fault(h.Pos, n, "bad-run", fmt.Sprintf("write it like %s@2: a letter or digit, then at most %d of letters, digits, ., _ and -", clip(name), MaxVersion-1),
			"%s is no version of a handler", quote(version))
	case name == Reserved || strings.HasPrefix(name, Reserved+"/"):
		c.fault(h.Pos, n, "reserved-name", "give it another name", "the handlers of %q are deed's own", Reserved)
	}
}

func commandLike(words []string) string {
	if len(words) == 0 || len(words) > 6 {
		return `run: ["python3", "count.py"]`
	}
	for i, w := range words {
		words[i] = quote(w)
	}
	return "run: [" + strings.Join(words, ", ") + "]"
}

func (c *checker) shell(n *node) {
	switch {
	case strings.TrimSpace(n.Shell.Value) == "":
		c.fault(n.Shell.Pos, n, "bad-run", "write a script", "the script is empty")
	case strings.Contains(n.Shell.Value, "\x00"):
		c.fault(n.Shell.Pos, n, "bad-run", "take it out", "the script has a zero byte")
	case strings.Contains(n.Shell.Value, paramOpen):
		c.fault(n.Shell.Pos, n, "bad-substitution", "read it from the environment", "%sx} is not replaced in sh", paramOpen)
	}
}

func (c *checker) word(n *node, word Text) {
	if strings.Contains(word.Value, "\x00") {
		c.fault(word.Pos, n, "bad-run", "take it out", "the argument has a zero byte")
		return
	}
	_, err := substitute(word.Value, func(param string) (string, bool) {
		if !c.params[param] {
			c.fault(word.Pos, n, "unknown-param", c.spell.Hint(param, c.paramList), "param %s is not declared", quote(param))
		}
		return "", true
	})
	if err != nil {
		c.fault(word.Pos, n, "bad-substitution", "write ${params.x} for a param, or $${ for the characters ${", "%s", err)
	}
}

// locals checks the words by which a handler knows its data.
func (c *checker) locals(n *node) {
	inputs, outputs, written := map[string]bool{}, map[string]bool{}, map[string]bool{}
	if e := n.Each; e != nil {
		inputs[e.Local.Value] = true
		c.local(n, e.BindingSource)
		if into := e.Into; into != nil && (*into < 1 || *into > MaxInto) {
			c.fault(e.Data.Pos, n, "bad-into", "", "into %d is not between 1 and %d", *into, MaxInto)
		}
	}
	for _, b := range n.In {
		if inputs[b.Local.Value] {
			c.fault(b.Local.Pos, n, "duplicate-name", "give one a local name, like in: {all: "+clip(b.Data.Value)+"}",
				"two inputs are called %s", quote(b.Local.Value))
		}
		inputs[b.Local.Value] = true
		c.local(n, b)
	}
	for _, b := range n.Out {
		switch {
		case outputs[b.Local.Value]:
			c.fault(b.Local.Pos, n, "duplicate-name", "write it once", "two outputs are called %s", quote(b.Local.Value))
		case written[b.Data.Value]:
			c.fault(b.Data.Pos, n, "duplicate-name", "give one another name", "two outputs go to %s", quote(b.Data.Value))
		}
		outputs[b.Local.Value], written[b.Data.Value] = true, true
		c.local(n, b)
	}
}

func (c *checker) local(n *node, b BindingSource) {
	if b.Local != b.Data {
		c.name(b.Local, n, "local")
	}
}
