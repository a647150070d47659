package definition

import (
	"encoding/json"
	"strings"

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
	for _, part := range src.Definitions() {
		if part.Partial {
			return Definition{}, []Fault{{Pos: part.Pos, Code: "unreadable", Message: "the definition could not be read as a whole"}}
		}
	}
	r := &resolver{checker: newChecker(src), files: map[string]task.File{}}
	for _, file := range append(r.named, r.checker) {
		file.writes() // without a fault, as Check has found
	}
	r.located(files)
	r.said, r.whole = r.layers(settings)
	r.values = r.paramValues(params)
	d := r.definition()
	if len(r.faults) > 0 {
		SortFaults(r.faults)
		return Definition{}, r.faults
	}
	return d, nil
}

// resolver makes the definition of one process, and by others those of children.
type resolver struct {
	*checker
	said   map[string]Settings // at submit, or under settings, by address in this process
	whole  ProcessSettings
	around Settings                   // said around this process, for the steps that say nothing themselves
	values map[string]json.RawMessage // of params
	files  map[string]task.File       // all that travel, from the folder of the outermost definition
}

// definition fills in a file, the outermost or one that is named.
func (r *resolver) definition() Definition {
	d := Definition{
		Name:    r.src.Name.Value,
		Version: r.src.Version.Value,
		Inputs:  words(r.src.Inputs),
		Params:  r.values,
		Files:   r.filesOf(r.src),
		Outputs: words(r.src.Outputs),
	}
	r.whole.apply(&d)
	r.around = Settings{Cache: r.whole.Cache}.or(r.around)
	d.Steps = r.stepsOf()
	return d
}

func (r *resolver) stepsOf() []Step {
	inside := r.inside()
	var all []Step
	for _, n := range r.steps {
		all = append(all, r.step(n, inside))
	}
	return all
}

// at is what is said for exactly this node, wherever.
func (r *resolver) at(n *node) Settings { return r.said[n.address].or(n.Settings) }

func (r *resolver) step(n *node, inside map[*node][]*node) Step {
	s := Step{Address: n.address, Retry: defaultRetry, In: plain(n.In), Out: r.outputsOfStep(n), When: conditionOf(n)}
	if n.Each != nil {
		s.Each = &Each{Binding: Binding{Local: n.Each.Local.Value, Data: n.Each.Data.Value}, ByKey: n.Each.ByKey, With: plain(n.Each.With)}
		if n.Each.Into != nil {
			s.Each.Into = *n.Each.Into
		}
	}
	seen := map[string]bool{}
	for _, at := range n.After {
		for _, first := range inside[r.byAddress[strings.TrimPrefix(at.Value, r.prefix)]] {
			if !seen[first.address] {
				seen[first.address] = true
				s.After = append(s.After, first.address)
			}
		}
	}
	own := r.at(n)
	var groups Settings
	for at := n.parent; at != nil; at = at.parent {
		groups = groups.or(r.at(at))
	}
	groups = groups.or(r.around)
	given := r.paramsOf(n)
	if n.child() {
		s.Retry.Attempts = 1
		own.ofChild().apply(&s)
		put(&s.Pool, own.or(groups).Pool)
		r.child(&s, n, given, own.into().or(groups))
		return s
	}
	s.Run, s.Params = r.runOf(n, given), given
	if h, ok := Standard(s.Run.Handler); ok {
		r.checkStandard(n, h, given)
		s.Params = h.WithDefaults(given)
	}
	own.or(groups).apply(&s)
	return s
}

// conditionOf is the condition of a step, and of the groups around it in its process.
func conditionOf(n *node) *Condition {
	var all []*ConditionSource // from the outside in
	for at := n; at != nil; at = at.parent {
		if at.When != nil {
			all = append([]*ConditionSource{at.When}, all...)
		}
	}
	if len(all) == 0 {
		return nil
	}
	c := Condition{Text: all[0].Value, Expr: all[0].Expr.expr()}
	for i, more := range all[1:] {
		if i == 0 {
			c.Text = "(" + c.Text + ")"
		}
		c = Condition{Text: c.Text + " && (" + more.Value + ")", Expr: Expr{Op: "&&", Args: []Expr{c.Expr, more.Expr.expr()}}}
	}
	return &c
}

// outputsOfStep are what a step writes, with the types that are declared, of a
// child by the step inside.
func (r *resolver) outputsOfStep(n *node) []Output {
	var all []Output
	for _, b := range n.Out {
		typ, _ := r.declared(n, b.Data.Value)
		all = append(all, Output{Binding: Binding{Local: b.Local.Value, Data: b.Data.Value}, JSON: typ})
	}
	return all
}

func (r *resolver) runOf(n *node, given map[string]json.RawMessage) task.Run {
	keep := n.Keep != nil && n.Keep.Value
	if n.Run == nil {
		return task.Run{Shell: n.Shell.Value, Keep: keep}
	}
	if n.Run.Handler.Given() {
		return task.Run{Handler: n.Run.Handler.Value}
	}
	var command []string
	for _, word := range n.Run.Command {
		// Check has refused what cannot be substituted; a param without a
		// value is a fault already.
		text, _ := substitute(word.Value, func(param string) (string, bool) {
			if own, ok := given[param]; ok {
				return argument(own), true
			}
			return argument(r.values[param]), true
		})
		command = append(command, text)
	}
	return task.Run{Command: command, Keep: keep}
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
