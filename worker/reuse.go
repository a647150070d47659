package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// A task of a step with `cache: true` has a key, made of all that its result
// follows from. Before it is executed, what an equal task left under the key is
// looked for, unless whoever sent it did that or is not to; after it is done, its
// result is left there. Nothing of this can fail a task: what goes wrong is a miss.

// reuseWithin bounds each look into the cache, and each write to it.
const reuseWithin = 10 * time.Second

// identity is what a task has in common with those that are equal.
type identity struct {
	key         string
	ingredients []task.Ingredient
}

// identify reads what the task reads as metadata; nil: its results are nobody
// else's.
func (t *Task) identify(ctx context.Context) (*identity, error) {
	if !t.work.Reusable() {
		return nil, nil
	}
	version, known := task.HandlerVersion(t.work.Run.Handler)
	if !known {
		version = t.registry.version(t.work.Run.Handler)
	}
	digests := make([]string, len(t.work.Inputs))
	for i := range t.work.Inputs {
		in := &t.work.Inputs[i]
		digest, known := in.KnownInput(t.ordinal)
		if !known {
			sum := task.NewDigest()
			for p, err := range t.list(in) {
				if err != nil {
					return nil, err
				}
				sum.Add(p)
			}
			digest = in.Keyed(t.ordinal, sum.Sum())
		}
		digests[i] = digest
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	all := t.work.Ingredients(version, digests)
	return &identity{key: task.CacheKey(all), ingredients: all}, nil
}

// reuse finds what an equal task left, as the outputs of this one. What executes
// the task is to be there: whoever cannot execute it has no business with its results.
func (w *Worker) reuse(ctx context.Context, t *Task) (id *identity, parts []task.Produced, origin *task.Origin) {
	ctx, stop := context.WithTimeout(ctx, reuseWithin)
	defer stop()
	id, err := t.identify(ctx)
	if err != nil {
		w.opt.Log.Warn("worker: what a task reads could not be compared with what ran earlier; it is executed", t.inLog("error", err)...)
		return nil, nil, nil
	}
	if id == nil || t.work.Refresh {
		return id, nil, nil
	}
	entry, err := w.opt.Blobs.Cache().LookUp(ctx, id.key)
	if err == nil {
		parts, err = t.adopt(ctx, entry)
	}
	w.opt.Metrics.LookedUp(err == nil)
	switch {
	case err == nil:
		return id, parts, &task.Origin{Index: t.index, Attempt: entry.Origin, Key: id.key}
	case errors.Is(err, blob.ErrUncached):
		w.opt.Log.Debug("worker: no equal task has left a result; the task is executed", t.inLog("key", id.key, "reason", err)...)
	default:
		w.opt.Log.Warn("worker: the results of earlier tasks could not be looked at; the task is executed", t.inLog("key", id.key, "error", err)...)
	}
	return id, nil, nil
}

// adopt makes what another task wrote outputs of this one.
func (t *Task) adopt(ctx context.Context, entry blob.Cached) ([]task.Produced, error) {
	var parts []task.Produced
	for p, err := range t.blobs.Cache().Parts(ctx, entry) {
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(t.work.Outputs, func(out task.Output) bool { return out.Local == p.Data })
		if i < 0 || len(parts) == maxParts {
			return nil, fmt.Errorf("it holds a part of an output %q, which the step does not have: %w", clip(p.Data), blob.ErrUncached)
		}
		p.Index, p.Data = t.index, t.work.Outputs[i].Data
		parts = append(parts, p)
	}
	return parts, nil
}

// bequeath stores the result of a task that is done for those that will be equal.
func (w *Worker) bequeath(t *Task, id *identity, produced []task.Produced) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(t.ctx), reuseWithin)
	defer stop()
	entry := blob.Cached{Key: id.key, Origin: t.work.At(t.index), At: w.opt.Now().UTC(), Ingredients: id.ingredients}
	for _, p := range produced {
		for _, out := range t.work.Outputs {
			if out.Data == p.Data {
				p.Data = out.Local
				break
			}
		}
		entry.Parts = append(entry.Parts, p)
	}
	if err := w.opt.Blobs.Cache().Store(ctx, entry, t.blobKey("cached")); err != nil && !errors.Is(err, context.Canceled) {
		w.opt.Log.Warn("worker: a result was not left for later tasks; they will be executed", t.inLog("error", err)...)
	}
}
