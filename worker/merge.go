package worker

import (
	"context"
	"encoding/json"
	"fmt"
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

// certainlyTooMany parts do not fit inline, however short they are.
const certainlyTooMany = task.MaxInline / 32

// claim puts the parts of a result where the contract wants them: small values
// inline; all others inline, too, if all of it is small, else in a manifest.
func (w *Worker) claim(ctx context.Context, b *bundle, r *task.Result) error {
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
	inline, listed := apart(r.Parts, b.values(r.Address))
	if len(listed) == 0 {
		return nil
	}
	key := fmt.Sprintf("%s/%s/%d/reports/%d-%s", b.process, r.Address, r.Generation, r.Attempt, w.opt.Nonce())
	ref, err := w.opt.Blobs.WriteReport(ctx, key, listed)
	if err != nil {
		return fmt.Errorf("store what %s[%v] produced: %w", r.Address, r.Tasks, err)
	}
	r.Parts, r.Manifest = inline, &ref
	return nil
}

// apart divides parts into small values, which stay in the report, and others.
func apart(parts []task.Produced, values func(data string) bool) (inline, listed []task.Produced) {
	for _, p := range parts {
		if values(p.Data) {
			inline = append(inline, p)
		} else {
			listed = append(listed, p)
		}
	}
	return inline, listed
}

// values are the names that a step of the bundle writes small values to.
func (b *bundle) values(address string) func(data string) bool {
	names := map[string]bool{}
	for _, r := range b.results {
		if r.Address != address || len(r.Parts) == 0 {
			continue
		}
		for _, out := range r.shares[0].work.Outputs {
			names[out.Data] = names[out.Data] || out.JSON != ""
		}
	}
	return func(data string) bool { return names[data] }
}

// unstorable is the result of tasks that are done but whose parts, or report,
// cannot be stored: to the core they failed.
func unstorable(r *task.Result, err error, v task.Verdict) {
	r.Outcome, r.Parts, r.Manifest, r.Sealed, r.Origins = task.Failed, nil, nil, nil, nil
	r.Failure = &task.Failure{Error: bounded(errorText(err)), Verdict: v}
}
