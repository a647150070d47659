package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// lookUp is the built-in handler deed/child: it reports, by local name, what the
// child of a task reads of lists that lie in manifests, which orchestrators never
// open. What is short is listed in the report; what is long gets a list of its own.
func lookUp(ctx context.Context, t *Task) error {
	if len(t.work.Inputs) == 0 {
		return Permanent(errors.New("the message does not say what to look up: the sender is at fault"))
	}
	found := make(map[string]task.Dataset, len(t.work.Inputs))
	for i := range t.work.Inputs {
		in := &t.work.Inputs[i]
		data, err := t.dataset(ctx, in)
		if err != nil {
			return fmt.Errorf("look up what the child of %s reads as %q: %w", t.ID(), in.Local, err)
		}
		found[in.Local] = data
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looked = found
	return nil
}

// dataset is what an input gives to the task, as a list of its own.
func (t *Task) dataset(ctx context.Context, in *task.Input) (task.Dataset, error) {
	var short []task.Part
	var long *blob.ManifestWriter
	size, n := 0, 0
	for p, err := range t.list(in) {
		if err != nil {
			return task.Dataset{}, err
		}
		if long == nil {
			short = append(short, p)
			if size += listed(p); size <= task.MaxInline/max(1, len(t.work.Inputs)) {
				n++
				continue
			}
			if long, err = t.blobs.NewManifest(ctx, t.blobKey(in.Local)); err != nil {
				return task.Dataset{}, err
			}
			defer long.Abort()
			for i, p := range short {
				if err := long.Add(blob.Entry{Index: i, Part: p}); err != nil {
					return task.Dataset{}, err
				}
			}
		} else if err := long.Add(blob.Entry{Index: n, Part: p}); err != nil {
			return task.Dataset{}, err
		}
		n++
	}
	if long == nil {
		return task.Inline(short), nil
	}
	return long.Close()
}
