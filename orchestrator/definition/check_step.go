package definition

import (
	"fmt"
	"slices"
	"strings"
)

// nodesAndSettings checks each step and group for itself, and the settings by address.
func (c *checker) nodesAndSettings() {
	if len(c.nodes) == 0 && !c.src.Partial && c.around == nil {
		c.fault(c.src.Pos, nil, "no-steps", "write at least one step under steps:", "the definition has no steps")
	}
	for _, n := range c.nodes {
		c.node(n)
	}
	for _, child := range c.inline() {
		child.nodesAndSettings()
	}
	if c.around != nil {
		return
	}
	for _, s := range c.src.Settings {
		n, in := c.find(s.Address.Value)
		switch {
		case n != nil:
			c.faults = append(c.faults, in.faultsOf(n, s.Settings, s.Address.Value)...)
		case !isAddress(s.Address.Value):
			c.badAddress(s.Address, nil)
		case !c.src.Partial:
			c.fault(s.Address.Pos, nil, "unknown-address", c.spell.address(s.Address.Value, c.everywhere()),
				"settings for %s, which does not exist", quote(s.Address.Value))
		}
	}
}

func (c *checker) badAddress(at Text, n *node) {
	c.fault(at.Pos, n, "bad-address", "write the names from the outside in, like group/step", "%s is no address", quote(at.Value))
}

func (c *checker) node(n *node) {
	what := "step"
	if n.Group {
		what = "group"
	}
	named := c.name(n.Name, n, what)
	switch {
	case named && c.byAddress[n.address] != n:
		c.fault(n.Name.Pos, n, "duplicate-name", "give one of them another name", "%s %s exists already", what, quote(n.Name.Value))
	case n.parent == nil && c.around == nil && n.Name.Value == reserved:
		c.fault(n.Name.Pos, n, "reserved-name", "give it another name", "the name %q is deed's own", reserved)
	}
	if depth := strings.Count(c.outside(n), "/"); n.Group && depth == MaxDepth {
		c.fault(n.Name.Pos, n, "too-deep", "nest less", "groups are nested more than %d deep", MaxDepth)
	}
	c.faults = append(c.faults, c.faultsOf(n, n.Settings, c.outside(n))...)
	if n.Group && len(n.Steps) == 0 && !n.Partial {
		c.fault(n.Name.Pos, n, "empty-group", "write a step into it, or take it out", "the group has no steps")
	}
	switch {
	case n.child():
		c.child(n)
		c.locals(n)
	case n.Group:
		c.plainGroup(n)
	default:
		c.run(n)
		c.locals(n)
		c.standard(n)
	}
}

// plainGroup refuses what only a group of children has.
func (c *checker) plainGroup(n *node) {
	const hint = "a group is a process of its own if it says each: or repeat:"
	for _, b := range n.In {
		c.fault(b.Local.Pos, n, "group-key", hint, "in is a key of steps, and this is a group without each or repeat")
		return
	}
	for _, b := range n.Out {
		c.fault(b.Local.Pos, n, "group-key", hint, "out is a key of steps, and this is a group without each or repeat")
		return
	}
	for _, p := range n.Params {
		c.fault(p.Name.Pos, n, "group-key", hint, "params is a key of steps, and this is a group without each or repeat")
		return
	}
	for _, at := range n.After {
		c.fault(at.Pos, n, "group-key", "write it in a step inside", "after is a key of steps, and this is a group without each or repeat")
		return
	}
}

// faultsOf are the values among settings that make no sense for the node; where
// they stand makes no difference.
func (c *checker) faultsOf(n *node, s Settings, address string) []Fault {
	all := s.faults(address, n.Group && !n.child())
	if s.Limits != nil && !n.Group && n.Run != nil && n.Run.Handler.Given() {
		all = append(all, Fault{
			Pos: s.Limits.Pos, Address: address, Code: "bad-limits", Message: "limits are of programs, and this step runs a handler",
			Hint: "take them out; what a handler may use is up to its worker",
		})
	}
	return all
}

// run checks what executes the tasks: exactly one of run and sh.
func (c *checker) run(n *node) {
	switch {
	case n.Run != nil && n.Shell.Given():
		c.fault(n.Shell.Pos, n, "run-and-sh", "take one of them out", "the step has both run and sh")
	case n.Run == nil && !n.Shell.Given():
		if !n.Partial {
			c.fault(n.Name.Pos, n, "no-run", "write run: with a handler or a command, or sh: with a script, or process: with a file, or steps: for a group",
				"nothing says what the step runs")
		}
	}
	if n.Shell.Given() {
		c.shell(n)
	}
	if n.Repeat != nil {
		c.fault(n.Repeat.Pos, n, "repeat-step", "put the step into a group, and repeat that", "a step cannot be repeated, a group or a process can")
	}
	if n.Keep != nil && n.Keep.Value && n.Run != nil && n.Run.Handler.Given() {
		c.fault(n.Keep.Pos, n, "keep-handler", "take it out", "keep is for programs, and this step runs a handler")
	}
	c.ownParams(n)
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
	_, standard := Standard(name)
	switch {
	case strings.ContainsAny(h.Value, " \t\n"):
		words := strings.Fields(h.Value)
		c.fault(h.Pos, n, "bad-run", "for a program write "+commandLike(words)+", for a script sh:", "%s is no handler", quote(h.Value))
	case len(name) > MaxHandler || !handlerPattern.MatchString(name):
		c.fault(h.Pos, n, "bad-run", "a handler is written like words/count", "%s is no handler", quote(h.Value))
	case pinned && standard:
		c.fault(h.Pos, n, "bad-run", "write "+clip(name), "the handlers of %q have no versions", reserved)
	case pinned && !versionPattern.MatchString(version):
		c.fault(h.Pos, n, "bad-run", fmt.Sprintf("write it like %s@2: a letter or digit, then at most %d of letters, digits, ., _ and -", clip(name), MaxVersion-1),
			"%s is no version of a handler", quote(version))
	case standard:
	case name == reserved || strings.HasPrefix(name, reserved+"/"):
		var known []string
		for _, s := range StandardHandlers() {
			known = append(known, s.Name)
		}
		c.fault(h.Pos, n, "reserved-name", c.spell.Choice(name, known), "the handlers of %q are deed's own, and %s is none of them", reserved, quote(name))
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
		own := slices.ContainsFunc(n.Params, func(p ParamSource) bool { return p.Name.Value == param })
		if !c.params[param] && !own {
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
		if into := e.Into; into != nil && (*into < 1 || *into > maxInto) {
			c.fault(e.Data.Pos, n, "bad-into", "", "into %d is not between 1 and %d", *into, maxInto)
		}
	}
	for _, b := range n.Each.names() {
		if inputs[b.Local.Value] {
			c.fault(b.Local.Pos, n, "duplicate-name", "join it with others", "each names %s twice", quote(b.Local.Value))
		}
		inputs[b.Local.Value] = true
		c.local(n, b)
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
		c.local(n, b.BindingSource)
		if b.JSON.Given() && !slices.Contains(types, Type(b.JSON.Value)) {
			c.fault(b.JSON.Pos, n, "bad-type", c.nearType(b.JSON.Value), "%s is no type of a small value", quote(b.JSON.Value))
		}
	}
}

func (c *checker) local(n *node, b BindingSource) {
	if b.Local != b.Data {
		c.name(b.Local, n, "local")
	}
}
