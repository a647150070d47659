package whatif

import (
	"cmp"
	"slices"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// run is an attempt at the tasks of a step, of one generation.
type run struct {
	address    string
	generation int
	attempt    int
}

// tally is what a world has scheduled. Ranges are collected as they come, and
// put in order once: a million single retries cost no more than that.
type tally struct {
	ranges  map[run][]task.Range
	retries int
}

func (t *tally) add(e process.TasksScheduled) {
	if isMerge(e.Address) {
		return
	}
	if t.ranges == nil {
		t.ranges = map[run][]task.Range{}
	}
	key := run{e.Address, e.Generation, e.Attempt}
	for _, r := range e.Tasks {
		all := t.ranges[key]
		if n := len(all); n > 0 && all[n-1].End() == r.First {
			all[n-1].Count += r.Count
			continue
		}
		t.ranges[key] = append(all, r)
	}
	if e.Attempt > 1 {
		t.retries += e.Tasks.Len()
	}
}

// tasks is everything that was scheduled so.
func (t *tally) tasks(key run) task.Ranges {
	ranges := slices.Clone(t.ranges[key])
	slices.SortFunc(ranges, func(a, b task.Range) int { return cmp.Compare(a.First, b.First) })
	var all task.Ranges
	for _, r := range ranges {
		if n := len(all); n > 0 && r.First <= all[n-1].End() {
			all[n-1].Count = max(all[n-1].End(), r.End()) - all[n-1].First
			continue
		}
		all = append(all, r)
	}
	return all
}

// without is what is in this tally and not in another, in order.
func (t *tally) without(other *tally) []Tasks {
	var all []Tasks
	for key := range t.ranges {
		if tasks := t.tasks(key).Minus(other.tasks(key)); len(tasks) > 0 {
			all = append(all, Tasks{Address: key.address, Generation: key.generation, Attempt: key.attempt, Tasks: tasks})
		}
	}
	sortTasks(all)
	return all
}

func sortTasks(all []Tasks) {
	slices.SortFunc(all, func(a, b Tasks) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.Attempt, b.Attempt))
	})
}
