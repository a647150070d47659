package process

import (
	"slices"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// definitionSchema is the newest schema of a stored definition. With each came
// what an older version must not drop: with 2 parallelism and weight of the
// process, and pool, needs and rate of a step, with 3 env of a step, with 4
// children, conditions, joins, reuse, small values, limits, params of a step and
// programs that are kept.
const definitionSchema = 4

// schemaOf is the schema that holds all of a definition. One that says nothing
// new is still written as 1, so that older versions beside this one, or after
// it, go on with its process.
func schemaOf(d definition.Definition) int {
	schema := 1
	if d.Parallelism != 0 || d.Weight != 0 {
		schema = 2
	}
	for _, s := range d.Steps {
		switch {
		case isNew(s):
			return 4
		case len(s.Env) > 0:
			schema = 3
		case s.Pool != "" || !s.Needs.IsZero() || !s.Rate.IsZero():
			schema = max(schema, 2)
		}
	}
	return schema
}

// isNew reports whether a step says what came with schema 4.
func isNew(s definition.Step) bool {
	return s.Process != nil || s.Repeat != nil || s.When != nil || s.Cache != "" || !s.Limits.IsZero() || len(s.Params) > 0 || s.Run.Keep ||
		s.Each != nil && len(s.Each.With) > 0 || slices.ContainsFunc(s.Out, func(out definition.Output) bool { return out.JSON != "" })
}

// unchanged has nothing to do: what was written with a schema says nothing of
// what came with the next.
func unchanged(data []byte) ([]byte, error) { return data, nil }

// isElsewhere reports whether some of the lists refer to data outside of the
// store, which older versions would take for blobs.
func isElsewhere(lists map[string]task.Dataset) bool {
	for _, d := range lists {
		for _, p := range d.Parts {
			if p.Ref != nil && p.Ref.Elsewhere() {
				return true
			}
		}
	}
	return false
}
