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
	var merged []task.Result
	places := map[mergeable]int{}
	var indexes [][]int
	type execution struct{ place, index int }
	executed := map[execution]bool{}
	again := func(place int, tasks task.Ranges) bool {
		for i := range tasks.All() {
			if executed[execution{place, i}] {
				return true
			}
		}
		return false
	}
	for _, r := range results {
		key := mergeable{address: r.Address, generation: r.Generation, attempt: r.Attempt, outcome: r.Outcome}
		if r.Failure != nil {
			key.failure = *r.Failure
		}
		at, found := places[key]
		if !found || r.Sealed != nil || again(at, r.Tasks) {
			at = len(merged)
			merged = append(merged, r.Result)
			indexes = append(indexes, nil)
			if r.Sealed == nil {
				places[key] = at
			}
			for i := range r.Tasks.All() {
				executed[execution{at, i}] = true
			}
			continue
		}
		for i := range r.Tasks.All() {
			executed[execution{at, i}] = true
		}
		m := &merged[at]
		m.Elapsed += r.Elapsed
		m.Parts = append(m.Parts, r.Parts...)
		if len(r.Tasks) == 1 && r.Tasks[0].Count == 1 {
			indexes[at] = append(indexes[at], r.Tasks[0].First)
		} else {
			m.Tasks = m.Tasks.Union(r.Tasks)
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
	r.Outcome, r.Parts, r.Manifest, r.Sealed = task.Failed, nil, nil, nil
	r.Failure = &task.Failure{Error: bounded(errorText(err)), Verdict: v}
}
