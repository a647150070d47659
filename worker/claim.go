package worker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/deedrun/deed/task"
)

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

// claimTries bounds how often storing a list of parts is tried, for some three
// seconds, before the tasks are reported as failed: other results wait behind it.
const claimTries = 10
