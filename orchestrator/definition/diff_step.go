package definition

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deedrun/deed/task"
)

// SameWork says what is different in what step b does, compared with a: what it
// runs and with which texts in its environment and params, on which condition and
// how often, what it reads and writes, and what it comes after. How it is tried
// and bounded, who may run it, and by which secrets it is let in (timeout, retry,
// parallelism, tolerate, pool, needs, rate, limits, cache, secrets, the max of a
// repeat with an until) makes no difference: what a step has done stays right when
// only that changes. Of a child what its own steps do counts.
func SameWork(a, b Step) (differs []string) {
	for _, c := range append(work(&a, &b), childWork(&a, &b)) {
		switch {
		case c.was == c.is:
		case clip(c.was) == clip(c.is):
			differs = append(differs, fmt.Sprintf("%s is another (the beginning is the same: %s)", c.what, clip(c.is)))
		default:
			differs = append(differs, fmt.Sprintf("%s is %s instead of %s", c.what, clip(c.is), clip(c.was)))
		}
	}
	return differs
}

// comparison is one thing of two steps, as an author would write it.
type comparison struct{ what, was, is string }

func work(a, b *Step) []comparison {
	return []comparison{
		{"run", run(a), run(b)},
		{"params", params(a.Params), params(b.Params)},
		{"env", texts(a.Env), texts(b.Env)},
		{"each", each(a.Each), each(b.Each)},
		{"in", bindings(a.In), bindings(b.In)},
		{"out", written(a.Out), written(b.Out)},
		{"after", list(slices.Sorted(slices.Values(a.After))), list(slices.Sorted(slices.Values(b.After)))},
		{"when", when(a.When), when(b.When)},
		{"repeat", boundedAs(a.Repeat, b.Repeat).String(), b.Repeat.String()},
	}
}

// boundedAs is a with the max of b where that only bounds how long both go on
// until their conditions hold: with another one the rounds that are over stay right.
func boundedAs(a, b *Repeat) *Repeat {
	if !bothUntil(a, b) {
		return a
	}
	same := *a
	same.Max = b.Max
	return &same
}

func bothUntil(a, b *Repeat) bool { return a != nil && b != nil && a.Until != nil && b.Until != nil }

func maxRounds(a, b *Step) comparison {
	if !bothUntil(a.Repeat, b.Repeat) {
		return comparison{} // repeat says so
	}
	return comparison{"max of its repeat", fmt.Sprint(a.Repeat.Max), fmt.Sprint(b.Repeat.Max)}
}

// childWork is the first thing that two children do differently, if there is one.
func childWork(a, b *Step) comparison {
	if a.Process == nil || b.Process == nil {
		return comparison{} // run says so
	}
	p, q := a.Process, b.Process
	for _, c := range []comparison{
		{"params", params(p.Params), params(q.Params)},
		{"inputs", list(p.Inputs), list(q.Inputs)},
		{"outputs", list(p.Outputs), list(q.Outputs)},
		{"the steps", addresses(p), addresses(q)},
	} {
		if c.was != c.is {
			return comparison{c.what + " of its child", c.was, c.is}
		}
	}
	was, is := byAddress(p.Steps), byAddress(q.Steps)
	for i := range p.Steps {
		step := &p.Steps[i]
		now := is[step.Address]
		for _, c := range append(work(was[step.Address], now), childWork(step, now)) {
			if c.was != c.is {
				return comparison{c.what + " of " + step.Address + " inside", c.was, c.is}
			}
		}
	}
	for _, f := range p.Files {
		if i := slices.IndexFunc(q.Files, func(g task.File) bool { return g.Name == f.Name && g.Ref.SHA256 == f.Ref.SHA256 }); i < 0 && namedInside(p, f.Name) {
			return comparison{"the file " + f.Name + " of its child", short(f.Ref.SHA256), "another"}
		}
	}
	return comparison{}
}

// namedInside reports whether a step of a definition names a file.
func namedInside(d *Definition, file string) bool {
	return slices.ContainsFunc(d.Steps, func(s Step) bool { return s.NamesFile(file) })
}

func addresses(d *Definition) string {
	var all []string
	for _, s := range d.Steps {
		all = append(all, s.Address)
	}
	return list(slices.Sorted(slices.Values(all)))
}

func params(values map[string]json.RawMessage) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		words = append(words, name+": "+scalar(values[name]))
	}
	return orNone(len(words) > 0, "{"+strings.Join(words, ", ")+"}")
}

func when(c *Condition) string {
	if c == nil {
		return "none"
	}
	return c.Text
}

// String writes the rounds as an author does.
func (r *Repeat) String() string {
	if r == nil {
		return "none"
	}
	var words []string
	if len(r.Carry) > 0 {
		var pairs []string
		for _, local := range slices.Sorted(maps.Keys(r.Carry)) {
			pairs = append(pairs, local+": "+r.Carry[local])
		}
		words = append(words, "carry: {"+strings.Join(pairs, ", ")+"}")
	}
	if len(r.Collect) > 0 {
		words = append(words, "collect: "+list(r.Collect))
	}
	if r.Until != nil {
		words = append(words, "until: "+r.Until.Text)
	}
	return "{" + strings.Join(append(words, fmt.Sprintf("max: %d", r.Max)), ", ") + "}"
}

func conduct(a, b *Step) []comparison {
	both := func(what string, write func(s *Step) string) comparison { return comparison{what, write(a), write(b)} }
	return []comparison{
		both("timeout", func(s *Step) string { return orNone(s.Timeout != 0, s.Timeout.String()) }),
		both("retry attempts", func(s *Step) string { return fmt.Sprint(s.Retry.Attempts) }),
		both("retry backoff", func(s *Step) string { return s.Retry.Backoff.String() }),
		both("retry factor", func(s *Step) string { return number(cmp.Or(s.Retry.Factor, defaultRetry.Factor)) }),
		both("retry jitter", func(s *Step) string { return orNone(s.Retry.Jitter != 0, percent(s.Retry.Jitter)) }),
		both("parallelism", func(s *Step) string { return atMost(s.Parallelism) }),
		both("tolerate", func(s *Step) string { return s.Tolerate.String() }),
		both("pool", func(s *Step) string { return cmp.Or(s.Pool, DefaultPool) }),
		both("needs", func(s *Step) string { return writeNeeds(s.Needs) }),
		both("rate", func(s *Step) string { return orNone(!s.Rate.IsZero(), s.Rate.String()) }),
		both("limits", func(s *Step) string { return writeLimits(s.Limits) }),
		both("cache", func(s *Step) string { return orNone(s.Cache != "", string(s.Cache)) }),
		maxRounds(a, b),
		both("secrets", func(s *Step) string { return secrets(s.Env) }),
	}
}

// written is what a step writes, with the types of small values.
func written(outs []Output) string {
	words := make([]string, len(outs))
	for i, out := range outs {
		words[i] = out.Data
		if out.Local != out.Data {
			words[i] = out.Local + ": " + out.Data
		}
		if out.JSON != "" {
			words[i] += fmt.Sprintf(" (json: %s)", out.JSON)
		}
	}
	return list(words)
}
