package definition

import (
	"fmt"
	"io/fs"
	"strings"
)

// Check is the data dependency checker: it lists everything for which the
// definition would not run, in the order of the file, and then for which those
// that it names would not. It is pure; whether the files exist, and whether a
// worker has the handlers, is not its question.
//
// A fault that only follows from another one is left out where that is known:
// who corrects a word sees what else is wrong, not what was wrong anyway.
func Check(src *Source) []Fault {
	c := newChecker(src)
	for _, file := range c.named {
		file.whole()
	}
	c.whole()
	SortFaults(c.faults)
	return c.faults
}

// whole checks what one file says.
func (c *checker) whole() {
	c.header()
	c.nodesAndSettings()
	c.writes()
	c.reads()
	c.outputs()
	c.conditions()
	c.unused()
	c.order()
	c.size()
}

func (c *checker) fault(at Pos, n *node, code, hint, format string, args ...any) {
	f := Fault{Pos: at, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint}
	f.Address = c.outside(n)
	c.faults = append(c.faults, f)
}

// header checks what stands outside of steps and settings.
func (c *checker) header() {
	src := c.src
	if src.Format.Given() && src.Format.Value != "v1" {
		c.fault(src.Format.Pos, nil, "bad-format", "write deed: v1", "format %s is not known", quote(src.Format.Value))
	}
	if src.Name.Given() && !processPattern.MatchString(src.Name.Value) {
		c.fault(src.Name.Pos, nil, "bad-name", "a process is named by a letter a-z, then at most 36 of a-z, 0-9 and -",
			"process name %s is not allowed", quote(src.Name.Value))
	}
	if !src.Partial {
		if !src.Format.Given() {
			c.fault(src.Pos, nil, "missing-key", "write deed: v1", "deed, the version of the format, is missing")
		}
		if !src.Name.Given() {
			c.fault(src.Pos, nil, "missing-key", "write name: and what the process is called", "name is missing")
		}
	}
	const longest = 64
	if len(src.Version.Value) > longest {
		c.fault(src.Version.Pos, nil, "bad-version", "keep it short, like 1 or 2.3.0", "version is longer than %d characters", longest)
	}
	c.faults = append(c.faults, src.ProcessSettings.faults()...)
	seenInputs := map[string]bool{}
	for _, in := range src.Inputs {
		if seenInputs[in.Value] {
			c.fault(in.Pos, nil, "duplicate-name", "write it once", "input %s is listed twice", quote(in.Value))
			continue
		}
		seenInputs[in.Value] = true
		c.name(in, nil, "input")
	}
	for _, p := range src.Params {
		c.name(p.Name, nil, "param")
	}
	seen := map[string]bool{}
	for _, f := range src.Files {
		switch {
		case !ValidFile(f.Value):
			c.fault(f.Pos, nil, "bad-path", "write a path below the folder of the definition, with /, like lib/count.py",
				"file %s is outside of the definition's folder or badly written", quote(f.Value))
		case seen[f.Value]:
			c.fault(f.Pos, nil, "duplicate-name", "write it once", "file %s is listed twice", quote(f.Value))
		}
		seen[f.Value] = true
	}
}

// size bounds how many steps there are, each child with its own.
func (c *checker) size() {
	if n := c.total(); n > MaxSteps {
		at := c.src.Pos
		if len(c.steps) > MaxSteps {
			at = c.steps[MaxSteps].Name.Pos
		}
		c.fault(at, nil, "too-many-steps", "fan out with each: instead of writing steps",
			"%d steps, at most %d are allowed", n, MaxSteps)
	}
	if c.height() > MaxDepth {
		c.fault(c.src.Pos, nil, "too-deep", "nest less", "children are nested more than %d deep", MaxDepth)
	}
}

// ValidFile reports whether a path may stand under files: relative, with /,
// and below the definition's folder.
func ValidFile(path string) bool {
	return fs.ValidPath(path) && path != "." && !strings.ContainsAny(path, "\\\x00")
}

// name refuses what is no name; what says what it should be the name of.
func (c *checker) name(t Text, n *node, what string) bool {
	if namePattern.MatchString(t.Value) {
		return true
	}
	c.fault(t.Pos, n, "bad-name", "a name is a letter a-z, then at most 62 of a-z, 0-9, _ and -", "%s name %s is not allowed", what, quote(t.Value))
	return false
}

// outputs checks what the process hands out; what a child hands up, child does.
func (c *checker) outputs() {
	for _, child := range c.inline() {
		child.handsUp()
	}
	if c.around != nil {
		return
	}
	seen := map[string]bool{}
	written := c.written()
	for _, out := range c.src.Outputs {
		switch name := out.Value; {
		case seen[name]:
			c.fault(out.Pos, nil, "duplicate-name", "write it once", "output %s is listed twice", quote(name))
		case c.inputs[name].Given():
			c.fault(out.Pos, nil, "output-is-input", "an output is what a step writes", "output %s is an input", quote(name))
		case c.writers[name].step == nil && !c.src.Partial:
			c.fault(out.Pos, nil, "unknown-name", c.meant(name, written), "output %s is written by no step", quote(name))
		}
		seen[out.Value] = true
		c.used[out.Value] = true
	}
}

// meant suggests the name that an unknown one may stand for. That one then
// counts as used: only the spelling is wrong.
func (c *checker) meant(name string, candidates []string) string {
	near, ok := c.spell.Nearest(name, candidates)
	if !ok {
		return ""
	}
	c.used[near] = true
	return "did you mean " + quote(near) + "?"
}
