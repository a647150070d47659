package worker

import (
	"context"
	"encoding/json"
	"fmt"

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
	type execution struct{ place, index int }
	var merged []task.Result
	var indexes [][]int // tasks of merged[i] beside its Tasks
	places := map[mergeable]int{}
	executed := map[execution]bool{}
	for _, r := range results {
		key := mergeable{address: r.Address, generation: r.Generation, attempt: r.Attempt, outcome: r.Outcome}
		if r.Failure != nil {
			key.failure = *r.Failure
		}
		at, found := places[key]
		whole := r.Outcome == task.Done || r.Outcome == task.Reused // by one task; what was not executed may be any number
		if !found || r.Sealed != nil || whole && executed[execution{at, r.Tasks[0].First}] {
			at = len(merged)
			merged = append(merged, r.Result)
			indexes = append(indexes, nil)
			if r.Sealed == nil {
				places[key] = at
			}
		} else {
			m := &merged[at]
			m.Elapsed += r.Elapsed
			m.Parts = append(m.Parts, r.Parts...)
			m.Origins = append(m.Origins, r.Origins...)
			if len(r.Tasks) == 1 && r.Tasks[0].Count == 1 {
				indexes[at] = append(indexes[at], r.Tasks[0].First)
			} else {
				m.Tasks = m.Tasks.Union(r.Tasks)
			}
		}
		if whole {
			executed[execution{at, r.Tasks[0].First}] = true
		}
	}
	for i, extra := range indexes {
		if len(extra) > 0 {
			merged[i].Tasks = merged[i].Tasks.Union(task.Of(extra...))
		}
	}
	return merged
}

// certainlyTooMany parts do not fit inline, however short they are.
const certainlyTooMany = task.MaxInline / 32

// claim puts the parts of a result where the contract wants them: inline if
// they are small, else in a manifest.
func (w *Worker) claim(ctx context.Context, process string, r *task.Result) error {
	if len(r.Parts) == 0 {
		return nil
	}
	if len(r.Parts) <= certainlyTooMany {
		text, err := json.Marshal(r.Parts)
		if err != nil {
			return fmt.Errorf("encode what %s%v produced: %w", r.Address, r.Tasks, err)
		}
		if len(text) <= task.MaxInline {
			return nil
		}
	}
	key := fmt.Sprintf("%s/%s/%d/reports/%d-%s", process, r.Address, r.Generation, r.Attempt, w.opt.Nonce())
	ref, err := w.opt.Blobs.WriteReport(ctx, key, r.Parts)
	if err != nil {
		return fmt.Errorf("store what %s[%v] produced: %w", r.Address, r.Tasks, err)
	}
	r.Parts, r.Manifest = nil, &ref
	return nil
}

// unstorable is the result of tasks that are done but whose parts, or report,
// cannot be stored: to the core they failed.
func unstorable(r *task.Result, err error, v task.Verdict) {
	r.Outcome, r.Parts, r.Manifest, r.Sealed, r.Origins = task.Failed, nil, nil, nil, nil
	r.Failure = &task.Failure{Error: bounded(errorText(err)), Verdict: v}
}
