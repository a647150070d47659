package process

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// randomDefinition is an acyclic graph of one to six steps, some of them in
// groups: each reads some names written before it, as one task or many.
func randomDefinition(t *rapid.T) definition.Definition {
	def := definition.Definition{Name: "random", Inputs: []string{"in", "extra"}}
	if rapid.IntRange(0, 3).Draw(t, "has a deadline") == 0 {
		def.Deadline = task.Duration(time.Duration(rapid.IntRange(1, 60).Draw(t, "deadline")) * time.Second)
	}
	def.Parallelism = rapid.SampledFrom([]int{0, 0, 1, 2, 5}).Draw(t, "parallelism of all")
	for i := range rapid.IntRange(1, 6).Draw(t, "steps") {
		def.Steps = append(def.Steps, randomStep(t, def, fmt.Sprintf("s%d", i)))
	}
	return def
}

// randomStep reads what the steps of a definition write, or its inputs.
func randomStep(t *rapid.T, def definition.Definition, name string) definition.Step {
	names, addresses := slices.Clone(def.Inputs), []string{}
	for _, s := range def.Steps {
		addresses = append(addresses, s.Address)
		for _, out := range s.Out {
			names = append(names, out.Data)
		}
	}
	pick := func(what string) definition.Binding { return bind(rapid.SampledFrom(names).Draw(t, what)) }
	s := definition.Step{
		Address: rapid.SampledFrom([]string{"", "", "g/", "h/"}).Draw(t, "group") + name,
		Run:     task.Run{Handler: rapid.SampledFrom([]string{"any", "any", "large"}).Draw(t, "handler")},
		Out:     definition.Outputs(bind("d-" + name)),
	}
	if rapid.IntRange(0, 4).Draw(t, "writes two names") == 0 {
		s.Out = append(s.Out, definition.Outputs(bind("e-"+name))...)
	}
	switch rapid.IntRange(0, 3).Draw(t, "shape") {
	case 0:
		s.Each = &definition.Each{Binding: pick("each")}
	case 1:
		s.Each = &definition.Each{Binding: pick("each"), ByKey: true}
	case 2:
		s.Each = &definition.Each{Binding: pick("each"), ByKey: true, Into: rapid.IntRange(1, 4).Draw(t, "into")}
	}
	if s.Each != nil && s.Each.ByKey && rapid.IntRange(0, 2).Draw(t, "joins") == 0 {
		s.Each.With = []definition.Binding{{Local: "beside", Data: pick("with").Data}}
	}
	if rapid.IntRange(0, 3).Draw(t, "has a condition") == 0 {
		s.When = &definition.Condition{Text: "it depends", Expr: definition.Expr{Op: ">", Args: []definition.Expr{
			{Op: definition.OpCount, Name: pick("condition").Data}, {Op: definition.OpValue, Value: fmt.Append(nil, rapid.IntRange(0, 3).Draw(t, "more than"))},
		}}}
	}
	if rapid.Bool().Draw(t, "reads whole") {
		s.In = []definition.Binding{pick("in")}
	}
	if len(addresses) > 0 && rapid.IntRange(0, 3).Draw(t, "after") == 0 {
		s.After = []string{rapid.SampledFrom(addresses).Draw(t, "follows")}
	}
	randomSettings(t, &s)
	if rapid.IntRange(0, 3).Draw(t, "has children") == 0 {
		randomChild(t, &s)
	}
	return s
}

// randomChild makes the tasks of a step processes of their own, and repeats them
// where there is nothing to fan out over.
func randomChild(t *rapid.T, s *definition.Step) {
	inner := definition.Step{Address: "inner", Run: task.Run{Handler: "inner"}, Out: s.Out}
	var inputs []string
	for name := range readsOf(*s) {
		inputs = append(inputs, name)
	}
	if s.Each == nil && rapid.Bool().Draw(t, "repeats") {
		s.Tolerate = definition.Tolerance{}
		s.Repeat = &definition.Repeat{Carry: map[string]string{"carried": s.Out[0].Local}, Max: rapid.IntRange(1, 3).Draw(t, "rounds")}
		if rapid.Bool().Draw(t, "collects") {
			s.Repeat.Collect = []string{s.Out[0].Local}
		}
		if rapid.Bool().Draw(t, "until") {
			s.Repeat.Until = &definition.Condition{Text: "enough", Expr: definition.Expr{Op: ">=", Args: []definition.Expr{
				{Op: definition.OpName, Name: definition.Round}, {Op: definition.OpValue, Value: fmt.Append(nil, rapid.IntRange(1, s.Repeat.Max).Draw(t, "enough"))},
			}}}
		}
		inputs = append(inputs, "carried")
	}
	slices.Sort(inputs)
	child := definition.Definition{Name: "child", Inputs: inputs, Steps: []definition.Step{inner}}
	for _, name := range inputs {
		child.Steps[0].In = append(child.Steps[0].In, bind(name))
	}
	for _, out := range s.Out {
		child.Outputs = append(child.Outputs, out.Local)
	}
	s.Run, s.Process = task.Run{}, &child
}

// readsOf is the local names that a step reads.
func readsOf(s definition.Step) map[string]bool {
	locals := map[string]bool{}
	if s.Each != nil {
		for _, b := range joined(*s.Each) {
			locals[b.Local] = true
		}
	}
	for _, b := range s.In {
		locals[b.Local] = true
	}
	return locals
}

func bind(name string) definition.Binding { return definition.Binding{Local: name, Data: name} }

// randomSettings are what a person may set without changing what a step does.
func randomSettings(t *rapid.T, s *definition.Step) {
	s.Parallelism = rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(t, "parallelism")
	s.Tolerate = rapid.SampledFrom([]definition.Tolerance{{}, {}, {Count: 1}, {Percent: 40}, {All: true}}).Draw(t, "tolerate")
	if s.Repeat != nil {
		s.Tolerate = definition.Tolerance{}
	}
	s.Retry = definition.Retry{
		Attempts: rapid.IntRange(1, 3).Draw(t, "attempts"), Jitter: rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "jitter"),
		Backoff: definition.Backoff{Min: 1e9, Max: 4e9},
	}
}

// revisions are the ways in which a person changes a definition.
var revisions = map[string]func(t *rapid.T, def *definition.Definition, s *definition.Step, nonce int){
	"sets a step": func(t *rapid.T, _ *definition.Definition, s *definition.Step, _ int) { randomSettings(t, s) },
	"adds a step": func(t *rapid.T, def *definition.Definition, _ *definition.Step, nonce int) {
		def.Steps = append(def.Steps, randomStep(t, *def, fmt.Sprintf("n%d", nonce)))
	},
	"adds a step that was there before": func(t *rapid.T, def *definition.Definition, _ *definition.Step, _ int) {
		def.Steps = append(def.Steps, randomStep(t, *def, fmt.Sprintf("s%d", rapid.IntRange(0, 5).Draw(t, "number"))))
	},
	"takes a step out": func(_ *rapid.T, def *definition.Definition, s *definition.Step, _ int) {
		gone := s.Address
		def.Steps = slices.DeleteFunc(def.Steps, func(s definition.Step) bool { return s.Address == gone })
		for i := range def.Steps {
			def.Steps[i].After = slices.DeleteFunc(slices.Clone(def.Steps[i].After), func(a string) bool { return a == gone })
		}
	},
	"gives a step another name": func(_ *rapid.T, def *definition.Definition, s *definition.Step, nonce int) {
		was := s.Address
		s.Address = fmt.Sprintf("r%d", nonce)
		for i := range def.Steps {
			def.Steps[i].After = slices.Clone(def.Steps[i].After)
			for j, a := range def.Steps[i].After {
				if a == was {
					def.Steps[i].After[j] = s.Address
				}
			}
		}
	},
	"makes a step do something else": func(_ *rapid.T, _ *definition.Definition, s *definition.Step, nonce int) {
		if s.Process != nil {
			child := *s.Process
			child.Version = fmt.Sprint(nonce)
			s.Process = &child
			return
		}
		s.Run.Handler = fmt.Sprintf("other/%d", nonce)
	},
	"makes a step write another name": func(_ *rapid.T, _ *definition.Definition, s *definition.Step, nonce int) {
		last := definition.Binding{Local: s.Out[len(s.Out)-1].Local, Data: fmt.Sprintf("m%d", nonce)}
		s.Out = append(slices.Clone(s.Out[:len(s.Out)-1]), definition.Outputs(last)...)
	},
	"lets a step write what was an input": func(_ *rapid.T, def *definition.Definition, _ *definition.Step, nonce int) {
		def.Inputs = []string{"extra"}
		def.Steps = append([]definition.Step{{
			Address: fmt.Sprintf("maker%d", nonce), Run: task.Run{Handler: "any"}, Each: &definition.Each{Binding: bind("extra")},
			Out: definition.Outputs(bind("in")), Retry: definition.Retry{Attempts: 2},
		}}, def.Steps...)
	},
	"sets a parameter": func(_ *rapid.T, def *definition.Definition, _ *definition.Step, nonce int) {
		def.Params = map[string]json.RawMessage{"p": json.RawMessage(fmt.Sprint(nonce))}
	},
	"sets the parallelism of all": func(t *rapid.T, def *definition.Definition, _ *definition.Step, _ int) {
		def.Parallelism = rapid.SampledFrom([]int{0, 1, 3, 8}).Draw(t, "parallelism of all")
	},
	"sets the deadline": func(t *rapid.T, def *definition.Definition, _ *definition.Step, _ int) {
		def.Deadline = task.Duration(time.Duration(rapid.IntRange(0, 60).Draw(t, "deadline")) * time.Second)
	},
}

// revised is a definition that a person has changed in one or two ways.
func revised(t *rapid.T, def definition.Definition, nonce int) (definition.Definition, string) {
	ways := make([]string, 0, len(revisions))
	for way := range revisions {
		ways = append(ways, way)
	}
	slices.Sort(ways)
	did := ""
	def.Steps = slices.Clone(def.Steps)
	for i := range rapid.IntRange(1, 2).Draw(t, "changes") {
		way := rapid.SampledFrom(ways).Draw(t, "a person")
		if len(def.Steps) == 0 {
			break
		}
		s := &def.Steps[rapid.IntRange(0, len(def.Steps)-1).Draw(t, "which step")]
		did += fmt.Sprintf("%s (%s) ", way, s.Address)
		revisions[way](t, &def, s, 2*nonce+i)
	}
	return def, did
}
