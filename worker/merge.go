package worker

import (
	"slices"

	"github.com/deedrun/deed/task"
)

// mergeable is what results must agree in to become one.
type mergeable struct {
	address    string
	generation int
	attempt    int
	outcome    task.Outcome
	failure    task.Failure
}

// merge makes as few results as possible out of many: tasks of a step that
// ended alike are a set, and their parts one list. Two executions of the same
// task, which was sent twice, stay apart: only the parts of one may count.
func merge(results []result) []task.Result {
	merged := make([]task.Result, 0, len(results))
	var executed []taskSet // the tasks of merged[i]
	places := map[mergeable]int{}
	for i := range results {
		r := &results[i]
		key := mergeable{address: r.Address, generation: r.Generation, attempt: r.Attempt, outcome: r.Outcome}
		if r.Failure != nil {
			key.failure = *r.Failure
		}
		at, found := places[key]
		alone := r.Sealed != nil || r.Inputs != nil
		again := found && slices.ContainsFunc(r.Tasks, executed[at].has)
		whole := r.Outcome == task.Done || r.Outcome == task.Reused
		if !found || alone || again && whole {
			at = len(merged)
			merged = append(merged, r.Result)
			executed = append(executed, taskSet{})
			if !alone {
				places[key] = at
			}
			again = false
		} else {
			m := &merged[at]
			m.Elapsed += r.Elapsed
			m.Parts = append(m.Parts, r.Parts...)
			m.Origins = append(m.Origins, r.Origins...)
		}
		if again {
			executed[at].ranges = executed[at].ranges.Union(r.Tasks)
		} else {
			for _, tasks := range r.Tasks {
				executed[at].add(tasks)
			}
		}
		merged[at].Tasks = executed[at].ranges
	}
	return merged
}
