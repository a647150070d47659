package definition

import (
	"cmp"
	"fmt"
	"slices"
)

// SameWork says what is different in what step b does, compared with a: what it
// runs and with which texts in its environment, what it reads and writes, and
// what it comes after. How it is tried and bounded, who may run it, and by which
// secrets it is let in (timeout, retry, parallelism, tolerate, pool, needs, rate,
// secrets) makes no difference: what a step has done stays right when only that
// changes.
func SameWork(a, b Step) (differs []string) {
	for _, c := range work(&a, &b) {
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
		{"run", run(a.Run), run(b.Run)},
		{"env", texts(a.Env), texts(b.Env)},
		{"each", each(a.Each), each(b.Each)},
		{"in", bindings(a.In), bindings(b.In)},
		{"out", written(a.Out), written(b.Out)},
		{"after", list(slices.Sorted(slices.Values(a.After))), list(slices.Sorted(slices.Values(b.After)))},
	}
}

func conduct(a, b *Step) []comparison {
	both := func(what string, write func(s *Step) string) comparison { return comparison{what, write(a), write(b)} }
	return []comparison{
		both("timeout", func(s *Step) string { return orNone(s.Timeout != 0, s.Timeout.String()) }),
		both("retry attempts", func(s *Step) string { return fmt.Sprint(s.Retry.Attempts) }),
		both("retry backoff", func(s *Step) string { return s.Retry.Backoff.String() }),
		both("retry factor", func(s *Step) string { return number(cmp.Or(s.Retry.Factor, DefaultRetry.Factor)) }),
		both("retry jitter", func(s *Step) string { return orNone(s.Retry.Jitter != 0, percent(s.Retry.Jitter)) }),
		both("parallelism", func(s *Step) string { return atMost(s.Parallelism) }),
		both("tolerate", func(s *Step) string { return s.Tolerate.String() }),
		both("pool", func(s *Step) string { return cmp.Or(s.Pool, DefaultPool) }),
		both("needs", func(s *Step) string { return writeNeeds(s.Needs) }),
		both("rate", func(s *Step) string { return orNone(!s.Rate.IsZero(), s.Rate.String()) }),
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
