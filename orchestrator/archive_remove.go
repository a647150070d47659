package orchestrator

import (
	"context"
	"time"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
)

// do does what is due. What has changed since is left alone: done is false.
func (a *Archive) do(ctx context.Context, d Due, who process.Asked, at time.Time) (done bool, err error) {
	if d.Remove { // for good: so the rule is asked for once more
		if due, err := a.isToBeRemoved(ctx, d, at); err != nil || !due {
			return false, err
		}
		return a.Remove(ctx, d.ID, who, at)
	}
	_, done, err = a.Put(ctx, d.ID, who, at)
	return done, err
}

// isToBeRemoved looks whether a removal is still due; one that was begun is.
func (a *Archive) isToBeRemoved(ctx context.Context, d Due, at time.Time) (bool, error) {
	k, err := closed(ctx, a.Events, d.ID)
	if err != nil || k.archived == nil {
		return k.removed != nil, err
	}
	if d.Root != "" {
		return true, nil // it goes with its root, or is refused
	}
	settings, err := Retentions(ctx, a.Events)
	r, ok := retentionOf(settings, d.Name)
	after := time.Duration(r.RemoveAfter)
	return ok && after > 0 && at.Sub(k.archived.At) >= after, err
}

// Remove removes the archive of a process for good. Of the process its ID is
// left, which stays taken, and what the record says. It is done again harmlessly;
// a process that is not archived is a *process.RefusedError.
func (a *Archive) Remove(ctx context.Context, id string, who process.Asked, at time.Time) (removed bool, err error) {
	for conflicts := 0; ; conflicts++ {
		k, err := closed(ctx, a.Events, id)
		switch {
		case err != nil:
			return removed, err
		case k.removed != nil:
			a.failpoint("archive.before-removal")
			if err := a.Events.Truncate(ctx, streamPrefix+id); err != nil {
				return removed, err
			}
			return removed, a.Blobs.Remove(ctx, k.removed.Archive.Key)
		case k.archived == nil:
			return false, &process.RefusedError{Process: id, Reason: "it is not archived: only archives can be removed"}
		}
		if err := a.withRoot(ctx, id, k.archived.Summary.Root, "remove", func(k closing) bool { return k.removed != nil }); err != nil {
			return false, err
		}
		r := Removed{Archive: k.archived.Archive, Summary: k.archived.Summary, Asked: who, At: at}
		err = a.close(ctx, id, events.Exactly(k.version), removedType, r)
		if err == nil {
			removed = true
			continue // to remove the file
		}
		if !isConflict(err) || conflicts == conflictsInARow {
			return removed, err
		}
	}
}
