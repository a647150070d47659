package process

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
)

// revise puts another definition in place of the one that holds. What has
// completed has to stay what it was.
func (d *decision) revise(c ReviseProcess) error {
	hash := c.Definition.Hash()
	switch {
	case hash == d.Hash:
		return nil
	case c.Base != "" && c.Base != d.Hash:
		return d.refuse("its definition was changed meanwhile; look at it and ask again")
	case d.Status == Completed:
		return d.refuse("it has completed with the definition it has; start a new process with the other one, or restart it from a step first")
	}
	g, err := newGraph(&c.Definition)
	if err != nil {
		return d.refuse("%v", err)
	}
	anew, reasons := d.compare(g, c.Definition)
	if len(reasons) > 0 {
		return &RefusedError{Process: d.ID, Differs: reasons, Reason: "it cannot go on with that definition"}
	}
	d.emit(ProcessRevised{Definition: c.Definition, Hash: hash, Steps: d.beginAnew(anew), Asked: c.Asked, At: c.At})
	d.advanceAll()
	return nil
}

// compare finds the running steps that would begin anew under another
// definition, and what speaks against it.
func (d *decision) compare(g *graph, def definition.Definition) (anew map[int]bool, reasons []string) {
	for _, name := range def.Inputs {
		if _, given := d.Inputs[name]; !given {
			reasons = append(reasons, fmt.Sprintf("input %q was not given when it started", name))
		}
	}
	anew = map[int]bool{}
	shared := d.sharedChanges(def)
	for i, was := range d.Definition.Steps {
		n := d.nodes[i]
		if n.phase == waiting {
			continue
		}
		j, there := g.number[was.Address]
		var differs []string
		if there {
			differs = append(definition.SameWork(was, g.def.Steps[j]), shared(was)...)
			differs = append(differs, d.otherSources(g, was)...)
		} else {
			differs = []string{"it is not there any more"}
		}
		switch {
		case len(differs) == 0:
		case n.phase == completed:
			reasons = append(reasons, fmt.Sprintf("%s has completed, and %s", was.Address, strings.Join(differs, ", ")))
		case there: // whoever reads what it writes has not started: that was not sealed
			anew[i] = true
		}
	}
	return anew, append(reasons, d.keysUnknown(def, anew)...)
}

// keysUnknown lists the names that another definition would join by their keys,
// and that were sealed, or are being merged, when nobody needed to know these.
func (d *decision) keysUnknown(def definition.Definition, anew map[int]bool) (reasons []string) {
	for _, step := range def.Steps {
		if i, was := d.graph.number[step.Address]; was && d.nodes[i].phase != waiting && !anew[i] || step.Each == nil || len(step.Each.With) == 0 || step.Each.Into > 0 {
			continue
		}
		for _, b := range joined(*step.Each) {
			data, sealed := d.Data(b.Data)
			switch {
			case sealed && len(keysOf(data)) != data.Keys:
				reasons = append(reasons, fmt.Sprintf("%s joins %s by key, which was merged without a list of its keys; write `by key into N`", step.Address, b.Data))
			case d.isMerging(b.Data) && !anew[d.graph.writer[b.Data]] && !d.Definition.JoinsByKey(b.Data):
				reasons = append(reasons, fmt.Sprintf("%s joins %s by key, which is being merged without a list of its keys; write `by key into N`", step.Address, b.Data))
			}
		}
	}
	return reasons
}

// isMerging reports whether the lists of a name are being merged right now.
func (s State) isMerging(name string) bool {
	i, written := s.graph.number[SealPrefix+name]
	return written && s.nodes[i].phase == running
}

// otherSources says which of the names that a step reads come from elsewhere
// under another definition: it would read something else under the same name.
func (d *decision) otherSources(g *graph, s definition.Step) (differs []string) {
	for _, name := range s.Reads() {
		if was, is := d.graph.source(name), g.source(name); was != is {
			differs = append(differs, fmt.Sprintf("%s, which it reads, is %s instead of %s", name, is, was))
		}
	}
	return differs
}

// sharedChanges says which of the things that steps share have changed, for a
// step that uses them: parameters, and files that travel with the definition.
func (d *decision) sharedChanges(def definition.Definition) func(definition.Step) []string {
	var params []string
	for name, was := range d.Definition.Params {
		if is, ok := def.Params[name]; !ok || string(is) != string(was) {
			params = append(params, name)
		}
	}
	slices.Sort(params)
	digests := map[string]string{}
	for _, f := range def.Files {
		digests[f.Name] = f.Ref.SHA256
	}
	var files []string
	for _, f := range d.Definition.Files {
		if digests[f.Name] != f.Ref.SHA256 {
			files = append(files, f.Name)
		}
	}
	return func(s definition.Step) []string {
		var differs []string
		for _, name := range params {
			differs = append(differs, fmt.Sprintf("parameter %s was %s for it", name, d.Definition.Params[name]))
		}
		for _, name := range files {
			if s.NamesFile(name) {
				differs = append(differs, fmt.Sprintf("the file %s, which it names, has changed", name))
			}
		}
		return differs
	}
}
