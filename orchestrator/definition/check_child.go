package definition

import (
	"encoding/json"
	"slices"
	"strings"
)

// child checks a step whose tasks are processes of their own: that its child is
// given what it asks for, and hands up what is wanted of it.
func (c *checker) child(n *node) {
	switch {
	case n.Process.Given() && n.Group:
		c.fault(n.Process.Pos, n, "process-and-steps", "take one of them out", "the step has both process and steps")
		return
	case n.Run != nil || n.Shell.Given():
		c.fault(n.Name.Pos, n, "process-and-run", "take one of them out", "the step has a child, and something to run as well")
	case n.Process.Given() && !ValidFile(n.Process.Value):
		c.fault(n.Process.Pos, n, "bad-path", "write a path below the folder of the definition, with /, like album/process.yaml",
			"file %s is outside of the definition's folder or badly written", quote(n.Process.Value))
		return
	case n.Process.Given() && n.Defined == nil && !n.Partial:
		c.fault(n.Process.Pos, n, "missing-process", "where no folder is at hand its text has to be sent along",
			"the definition %s, which this step names, was not given", quote(n.Process.Value))
		return
	}
	if n.Keep != nil {
		c.fault(n.Keep.Pos, n, "keep-handler", "write it in a step inside that runs a program", "keep is for programs, and this step has a child")
	}
	c.ownParams(n)
	if n.Repeat != nil {
		c.repeat(n)
	}
	if n.Defined != nil {
		c.wiring(n)
	}
}

// wiring checks what the definition of a file is given, and what is read of it.
func (c *checker) wiring(n *node) {
	child := n.Defined
	inputs, outputs := words(child.Inputs), words(child.Outputs)
	given := map[string]bool{}
	for _, b := range n.given() {
		given[b.Local.Value] = true
		if !slices.Contains(inputs, b.Local.Value) && !child.Partial {
			hint := c.spell.Hint(b.Local.Value, inputs)
			switch {
			case len(inputs) == 0:
				hint = "it has none"
			case hint == "":
				hint = "its inputs are " + strings.Join(inputs, ", ") + "; write in: {" + inputs[0] + ": " + clip(b.Local.Value) + "} to give one another name"
			}
			c.fault(b.Local.Pos, n, "unknown-input", hint, "%s has no input %s", n.Process.Value, quote(b.Local.Value))
		}
	}
	for _, name := range inputs {
		if !given[name] && !n.Partial {
			c.fault(n.Process.Pos, n, "missing-input", "write in: {"+name+": …}, or each:", "input %s of %s is not given", quote(name), n.Process.Value)
		}
	}
	for _, b := range n.Out {
		c.handedUp(n, b.Local, outputs)
		c.used[b.Data.Value] = c.used[b.Data.Value] || !slices.Contains(outputs, b.Local.Value)
	}
	file := c.children[n]
	for _, p := range n.Params {
		if i := slices.IndexFunc(child.Params, func(own Param) bool { return own.Name.Value == p.Name.Value }); i < 0 {
			if !child.Partial {
				c.fault(p.Name.Pos, n, "unknown-param", c.spell.Hint(p.Name.Value, file.paramList), "%s has no param %s", n.Process.Value, quote(p.Name.Value))
			}
		} else if is, wants := c.kindOf(p), kindOfDefault(child.Params[i].Default); is != "" && wants != "" && is != wants {
			c.fault(p.At, n, "bad-param", "", "param %s of %s is a %s, as its default is, and not a %s", quote(p.Name.Value), n.Process.Value, wants, is)
		}
	}
	for _, p := range child.Params {
		if p.Default == nil && !slices.ContainsFunc(n.Params, func(given ParamSource) bool { return given.Name.Value == p.Name.Value }) {
			c.fault(n.Process.Pos, n, "missing-param", "write params: {"+clip(p.Name.Value)+": …}", "param %s of %s has no value", quote(p.Name.Value), n.Process.Value)
		}
	}
}

// handedUp refuses a name that is no output of a child.
func (c *checker) handedUp(n *node, name Text, outputs []string) {
	if slices.Contains(outputs, name.Value) || c.src.Partial || n.Partial || n.Defined != nil && n.Defined.Partial {
		return
	}
	hint := c.spell.Hint(name.Value, outputs)
	if hint == "" && len(outputs) > 0 {
		hint = "there are " + strings.Join(shorten(outputs), ", ")
	}
	if n.Defined != nil {
		c.fault(name.Pos, n, "unknown-output", hint, "%s hands out no %s", n.Process.Value, quote(name.Value))
		return
	}
	c.fault(name.Pos, n, "unknown-output", hint, "no step inside writes %s", quote(name.Value))
}

// handsUp checks what a group of children hands up, to the process around it and
// from round to round.
func (c *checker) handsUp() {
	written := c.written()
	hand := func(name Text) {
		c.used[name.Value] = true
		if near, ok := c.spell.Nearest(name.Value, written); ok && !slices.Contains(written, name.Value) {
			c.used[near] = true
		}
	}
	for _, b := range c.as.Out {
		hand(b.Local)
		c.around.handedUp(c.as, b.Local, written)
		c.around.used[b.Data.Value] = c.around.used[b.Data.Value] || !slices.Contains(written, b.Local.Value)
	}
	if r := c.as.Repeat; r != nil {
		for _, b := range r.Carry {
			hand(b.Data)
		}
		if r.Until != nil {
			for _, t := range r.Until.names() {
				hand(t)
			}
		}
	}
	for _, child := range c.inline() {
		child.handsUp()
	}
}

// outputsOf lists what a child can hand up.
func (c *checker) outputsOf(n *node) []string {
	if n.Defined != nil {
		return words(n.Defined.Outputs)
	}
	return c.children[n].written()
}

// repeat checks what is said of the rounds; what its condition looks at,
// conditions does.
func (c *checker) repeat(n *node) {
	r := n.Repeat
	if n.Each != nil {
		c.fault(r.Pos, n, "repeat-each", "put the one into a group inside the other", "a step cannot both fan out and repeat")
	}
	switch {
	case r.Max == nil:
		if !n.Partial {
			c.fault(r.Pos, n, "missing-key", "write max: 100, or how many there may be", "repeat says not how many rounds there are at most")
		}
	case r.Max.Value < 1 || r.Max.Value > MaxRounds:
		c.fault(r.Max.Pos, n, "bad-repeat", "", "max %d is not between 1 and %d", r.Max.Value, MaxRounds)
	}
	taken := map[string]bool{}
	for _, b := range append(n.Each.names(), n.In...) {
		taken[b.Local.Value] = true
	}
	for _, b := range r.Carry {
		switch name := b.Local.Value; {
		case !c.name(b.Local, n, "local"):
		case taken[name]:
			c.fault(b.Local.Pos, n, "duplicate-name", "give one of them another name", "%s is carried, and read of the process, too", quote(name))
		case n.Group && c.knows(name):
			c.fault(b.Local.Pos, n, "hidden-name", "give it another name", "%s is carried, and a name of the process around as well", quote(name))
		}
	}
	var out []string
	for _, b := range n.Out {
		out = append(out, b.Local.Value)
	}
	for _, name := range r.Collect {
		if !slices.Contains(out, name.Value) && !n.Partial {
			c.fault(name.Pos, n, "unknown-output", c.spell.Hint(name.Value, out), "%s is collected, and not handed up: list it under out:", quote(name.Value))
		}
	}
}

// carries checks that rounds hand on what they carry.
func (c *checker) carries(n *node) {
	if n.Repeat == nil || n.Process.Given() && n.Defined == nil {
		return
	}
	outputs := c.outputsOf(n)
	for _, b := range n.Repeat.Carry {
		c.handedUp(n, b.Data, outputs)
	}
}

// ownParams checks the params that a step gives its tasks.
func (c *checker) ownParams(n *node) {
	for _, p := range n.Params {
		c.name(p.Name, n, "param")
		text, isText := textOf(p.Value)
		if !isText {
			continue
		}
		_, err := substitute(text, func(param string) (string, bool) {
			if !c.params[param] {
				c.fault(p.At, n, "unknown-param", c.spell.Hint(param, c.paramList), "param %s is not declared", quote(param))
			}
			return "", true
		})
		if err != nil {
			c.fault(p.At, n, "bad-substitution", "write ${params.x} for a param, or $${ for the characters ${", "%s", err)
		}
	}
}

func textOf(value json.RawMessage) (text string, ok bool) {
	return text, json.Unmarshal(value, &text) == nil && len(value) > 0 && value[0] == '"'
}

// onlyParam is the param that a text stands for as a whole: "${params.x}".
func onlyParam(text string) (name string, ok bool) {
	name, ok = strings.CutPrefix(text, paramOpen)
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, "}")
	return name, ok && namePattern.MatchString(name)
}

// kindOf is what a param of a step is, as far as that is known before the
// params of the process are; "" if it is not.
func (c *checker) kindOf(p ParamSource) Type {
	text, isText := textOf(p.Value)
	if name, ok := onlyParam(text); isText && ok {
		return c.paramType(name)
	}
	return kindOfDefault(p.Value)
}

// kindOfDefault is the type of a scalar; "" of none.
func kindOfDefault(value json.RawMessage) Type {
	switch {
	case len(value) == 0:
		return ""
	case value[0] == '"':
		return String
	case value[0] == 't' || value[0] == 'f':
		return Boolean
	}
	return Number
}

// standard checks a step that runs one of deed's own handlers.
func (c *checker) standard(n *node) {
	if n.Run == nil || n.Partial {
		return
	}
	h, ok := Standard(n.Run.Handler.Value)
	if !ok {
		return
	}
	inputs := append(n.Each.names(), n.In...)
	if len(inputs) != 1 {
		c.fault(n.Run.Pos, n, "standard-inputs", "name it under in:, or each:", "%s reads one name, and not %d", h.Name, len(inputs))
	}
	if len(n.Out) != 1 {
		c.fault(n.Run.Pos, n, "standard-outputs", "name it under out:", "%s writes one name, and not %d", h.Name, len(n.Out))
	}
	for _, out := range n.Out {
		if out.JSON.Given() && slices.Contains(types, Type(out.JSON.Value)) && !slices.Contains(h.JSON, Type(out.JSON.Value)) {
			c.fault(out.JSON.Pos, n, "bad-type", "take the type out", "%s writes no %s", h.Name, out.JSON.Value)
		}
	}
	given := map[string]json.RawMessage{}
	for _, p := range n.Params {
		given[p.Name.Value] = p.Value
		own, known := h.Param(p.Name.Value)
		if !known {
			c.fault(p.Name.Pos, n, "unknown-param", c.spell.Choice(p.Name.Value, h.Names()), "%s has no param %s", h.Name, quote(p.Name.Value))
			continue
		}
		if text, isText := textOf(p.Value); isText && strings.Contains(text, paramOpen) {
			continue // its value is known when the process starts
		}
		if err := own.Check(p.Value); err != nil {
			c.fault(p.At, n, "bad-param", err.Error(), "param %s of %s cannot be %s", quote(p.Name.Value), h.Name, clip(string(p.Value)))
		}
	}
	for _, name := range h.missing(given) {
		c.fault(n.Run.Pos, n, "missing-param", "write params: {"+name+": …}", "param %s of %s has no value", quote(name), h.Name)
	}
}
