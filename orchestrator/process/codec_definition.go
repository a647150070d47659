package process

import "github.com/deedrun/deed/orchestrator/definition"

// definitionSchema is the newest schema of a stored definition. With 2 came
// what an older version must not drop: parallelism and weight of the process,
// and pool, needs and rate of a step.
const definitionSchema = 2

// schemaOf is the schema that holds all of a definition. One that says nothing
// new is still written as 1, so that older versions beside this one, or after
// it, go on with its process.
func schemaOf(d definition.Definition) int {
	if d.Parallelism != 0 || d.Weight != 0 {
		return 2
	}
	for _, s := range d.Steps {
		if s.Pool != "" || !s.Needs.IsZero() || !s.Rate.IsZero() {
			return 2
		}
	}
	return 1
}

// definition2 has nothing to do: a definition of schema 1 says nothing of what
// came with 2.
func definition2(data []byte) ([]byte, error) { return data, nil }
