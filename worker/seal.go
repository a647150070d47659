package worker

import (
	"context"
	"errors"
)

// seal is the built-in handler deed/seal: it merges what the reports of a step
// say about one name, and reports the dataset.
func seal(ctx context.Context, t *Task) error {
	if t.work.Seal == nil {
		return Permanent(errors.New("the message does not say what to seal: the sender is at fault"))
	}
	data, err := t.blobs.Seal(ctx, t.blobKey("sealed"), *t.work.Seal)
	if err != nil {
		return err
	}
	if t.work.Seal.Keys && data.Manifest != nil {
		if data.KeyNames, err = t.blobs.KeyNames(ctx, *data.Manifest); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sealed = &data
	return nil
}
