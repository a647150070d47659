package process

import "github.com/deedrun/deed/orchestrator/definition"

// definitionSchema is the newest schema of a stored definition. With each came
// what an older version must not drop: with 2 parallelism and weight of the
// process, and pool, needs and rate of a step, with 3 env of a step.
const definitionSchema = 3

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
		case len(s.Env) > 0:
			return 3
		case s.Pool != "" || !s.Needs.IsZero() || !s.Rate.IsZero():
			schema = 2
		}
	}
	return schema
}

// definitionNext has nothing to do: a definition of a schema says nothing of
// what came with the next.
func definitionNext(data []byte) ([]byte, error) { return data, nil }
