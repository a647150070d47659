package definition

import (
	"maps"
	"slices"

	"github.com/deedrun/deed/task"
)

// Resolve makes the definition that runs: it fills in defaults, gives params
// their values, applies settings, and flattens groups to addresses. What was
// given at submit is refused like what is written in the file; such faults have
// no place. A source that has faults of its own is never resolved: they are returned.
//
// params are texts, each read by the type of the param's default; one without
// a default is a number or a boolean if it reads as one. settings are values by
// "address.setting", such as "count.retry.attempts", and "deadline", "parallelism"
// and "weight" of the process; they win over the file at the same address. The node nearest to a
// step wins: what a step says, then its group, then the group around that.
// files are where the bytes of the source's files lie.
func Resolve(src *Source, params, settings map[string]string, files []task.File) (Definition, []Fault) {
	if faults := Check(src); len(faults) > 0 {
		return Definition{}, faults
	}
	if src.Partial {
		return Definition{}, []Fault{{Pos: src.Pos, Code: "unreadable", Message: "the definition could not be read as a whole"}}
	}
	r := &resolver{checker: newChecker(src), at: map[*node]Settings{}, whole: src.ProcessSettings}
	r.layers(settings)
	d := Definition{
		Name:    src.Name.Value,
		Version: src.Version.Value,
		Inputs:  words(src.Inputs),
		Params:  r.values(params),
		Files:   r.located(files),
		Outputs: words(src.Outputs),
	}
	r.whole.apply(&d)
	inside := r.inside()
	for _, n := range r.steps {
		d.Steps = append(d.Steps, r.step(n, d, inside))
	}
	if len(r.faults) > 0 {
		SortFaults(r.faults)
		return Definition{}, r.faults
	}
	return d, nil
}

type resolver struct {
	*checker
	at    map[*node]Settings // said for exactly this node, wherever
	whole ProcessSettings
}

func (r *resolver) step(n *node, d Definition, inside map[*node][]*node) Step {
	s := Step{Address: n.address, Retry: DefaultRetry, Run: r.runOf(n, d), In: plain(n.In), Out: Outputs(plain(n.Out)...)}
	if n.Each != nil {
		s.Each = &Each{Binding: Binding{Local: n.Each.Local.Value, Data: n.Each.Data.Value}, ByKey: n.Each.ByKey}
		if n.Each.Into != nil {
			s.Each.Into = *n.Each.Into
		}
	}
	seen := map[string]bool{}
	for _, at := range n.After {
		for _, first := range inside[r.byAddress[at.Value]] {
			if !seen[first.address] {
				seen[first.address] = true
				s.After = append(s.After, first.address)
			}
		}
	}
	var said Settings
	for at := n; at != nil; at = at.parent {
		said = said.or(r.at[at])
	}
	said.apply(&s)
	return s
}

func (r *resolver) runOf(n *node, d Definition) task.Run {
	if n.Run == nil {
		return task.Run{Shell: n.Shell.Value}
	}
	if n.Run.Handler.Given() {
		return task.Run{Handler: n.Run.Handler.Value}
	}
	var command []string
	for _, word := range n.Run.Command {
		// Check has refused what cannot be substituted; a param without a
		// value is a fault already.
		text, _ := substitute(word.Value, func(param string) (string, bool) { return argument(d.Params[param]), true })
		command = append(command, text)
	}
	return task.Run{Command: command}
}

// located finds the bytes of each file that the source lists.
func (r *resolver) located(files []task.File) []task.File {
	given := map[string]task.File{}
	for _, f := range files {
		given[f.Name] = f
	}
	var found []task.File
	for _, want := range r.src.Files {
		f, ok := given[want.Value]
		if !ok {
			r.fault(want.Pos, nil, "missing-file", "", "file %s was not handed in", quote(want.Value))
			continue
		}
		delete(given, want.Value)
		found = append(found, f)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		r.fault(Pos{}, nil, "unknown-file", "list it under files", "file %s is handed in, but not listed", quote(name))
	}
	return found
}

func words(texts []Text) []string {
	var all []string
	for _, t := range texts {
		all = append(all, t.Value)
	}
	return all
}

func plain(sources []BindingSource) []Binding {
	var all []Binding
	for _, b := range sources {
		all = append(all, Binding{Local: b.Local.Value, Data: b.Data.Value})
	}
	return all
}
