package aggregate

import (
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

// Features lists the chapters in the order in which they read best: how a
// process proceeds, what goes wrong, what a person may do. It makes them anew, so
// that a command which tells no rules does not pay for them when it starts.
func Features() []specs.Feature {
	return []specs.Feature{
		starting(), fanOut(), branches(), shuffle(), merging(), parallelism(), parallelismOfAll(),
		joining(), smallValues(), conditions(), children(), repeating(), reusing(),
		duplicates(), retries(), losses(), timeouts(), tolerance(), deadline(),
		pausing(), cancelling(), retrying(), restarting(), revising(),
	}
}

func define(name string, inputs, outputs []string, steps ...definition.Step) definition.Definition {
	return definition.Definition{Name: name, Inputs: inputs, Steps: steps, Outputs: outputs}
}

func names(n ...string) []string { return n }

func step(address string, options ...func(*definition.Step)) definition.Step {
	s := definition.Step{Address: address, Run: task.Run{Handler: "examples/" + address}, Retry: definition.Retry{
		Attempts: 3, Backoff: definition.Backoff{Min: task.Duration(time.Second), Max: task.Duration(30 * time.Second)},
	}}
	for _, o := range options {
		o(&s)
	}
	return s
}

func binding(name string) definition.Binding { return definition.Binding{Local: name, Data: name} }

func each(name string) func(*definition.Step) {
	return func(s *definition.Step) { s.Each = &definition.Each{Binding: binding(name)} }
}

func byKey(name string) func(*definition.Step) {
	return func(s *definition.Step) { s.Each = &definition.Each{Binding: binding(name), ByKey: true} }
}

func byKeyInto(name string, n int) func(*definition.Step) {
	return func(s *definition.Step) { s.Each = &definition.Each{Binding: binding(name), ByKey: true, Into: n} }
}

func reads(names ...string) func(*definition.Step) {
	return func(s *definition.Step) {
		for _, n := range names {
			s.In = append(s.In, binding(n))
		}
	}
}

func writes(names ...string) func(*definition.Step) {
	return func(s *definition.Step) {
		for _, n := range names {
			s.Out = append(s.Out, definition.Output{Binding: binding(n)})
		}
	}
}

func after(addresses ...string) func(*definition.Step) {
	return func(s *definition.Step) { s.After = addresses }
}

func tolerating(t definition.Tolerance) func(*definition.Step) {
	return func(s *definition.Step) { s.Tolerate = t }
}

// tried is how a step is tried again: so often, waiting from min to max.
func tried(attempts int, least, most time.Duration) func(*definition.Step) {
	return func(s *definition.Step) {
		s.Retry.Attempts, s.Retry.Backoff = attempts, definition.Backoff{Min: task.Duration(least), Max: task.Duration(most)}
	}
}

func growing(factor float64) func(*definition.Step) {
	return func(s *definition.Step) { s.Retry.Factor = factor }
}

func jittered(share float64) func(*definition.Step) {
	return func(s *definition.Step) { s.Retry.Jitter = share }
}

func atMost(n int) func(*definition.Step) {
	return func(s *definition.Step) { s.Parallelism = n }
}

var wordCount = define("word-count", names("corpus"), names("counts"),
	step("count", each("corpus"), writes("partial")),
	step("merge", byKeyInto("partial", 2), writes("totals")),
	step("top", reads("totals"), writes("counts")),
)

// resize has one step: a task a photo.
var resize = define("resize", names("photos"), names("small"),
	step("shrink", each("photos"), writes("small")),
)

// chain is resize with a second step over what the first one wrote.
var chain = define("chain", names("photos"), names("framed"),
	step("shrink", each("photos"), writes("small")),
	step("frame", each("small"), writes("framed")),
)

func child(def definition.Definition) func(*definition.Step) {
	return func(s *definition.Step) { s.Run, s.Process, s.Retry.Attempts = task.Run{}, &def, 1 }
}

// writesValue is a small value that the step writes.
func writesValue(name string, typ definition.Type) func(*definition.Step) {
	return func(s *definition.Step) {
		s.Out = append(s.Out, definition.Output{Binding: binding(name), JSON: typ})
	}
}

func when(text string, e definition.Expr) func(*definition.Step) {
	return func(s *definition.Step) { s.When = &definition.Condition{Text: text, Expr: e} }
}

func value(name string) definition.Expr { return definition.Expr{Op: definition.OpName, Name: name} }

func constant(json string) definition.Expr {
	return definition.Expr{Op: definition.OpValue, Value: []byte(json)}
}

func compare(operator string, a, b definition.Expr) definition.Expr {
	return definition.Expr{Op: operator, Args: []definition.Expr{a, b}}
}

// diamond splits into two branches and joins them.
var diamond = define("diamond", names("text"), names("both"),
	step("left", reads("text"), writes("l")),
	step("right", reads("text"), writes("r")),
	step("join", reads("l", "r"), writes("both")),
)

// throttled is resize with at most two photos at a time.
var throttled = define("throttled", names("photos"), names("small"),
	step("shrink", each("photos"), writes("small"), atMost(2)),
)
