package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Put archives a process that has ended. What is left undone of it by one that
// was killed, this one does; changed is false if there was nothing to do but
// that. A process that has not ended, or that is made to go again meanwhile, is
// a *process.RefusedError, one that was removed a *RemovedError.
func (a *Archive) Put(ctx context.Context, id string, who process.Asked, at time.Time) (r Archived, changed bool, err error) {
	for conflicts := 0; ; conflicts++ {
		k, err := closed(ctx, a.Events, id)
		switch {
		case err != nil:
			return r, false, err
		case k.removed != nil:
			return r, false, &RemovedError{*k.removed}
		case k.archived != nil:
			return *k.archived, changed, a.clear(ctx, id, k)
		}
		err = a.put(ctx, id, who, at)
		if err == nil {
			changed = true
			continue // to clear up
		}
		if conflicts < conflictsInARow && a.overtaken(ctx, id, err) {
			continue
		}
		return r, changed, err
	}
}

// overtaken reports whether an error is what comes of somebody else's having
// archived the process at the same time, or made it go again.
func (a *Archive) overtaken(ctx context.Context, id string, err error) bool {
	if isConflict(err) || errors.Is(err, errDiffers) {
		return true
	}
	k, lastErr := closed(ctx, a.Events, id)
	return lastErr == nil && k.archived != nil
}

// put writes the file and then the record.
func (a *Archive) put(ctx context.Context, id string, who process.Asked, at time.Time) error {
	s, err := a.story(ctx, id)
	if err != nil {
		return err
	}
	if !s.state.Ended() {
		return &process.RefusedError{Process: id, Reason: fmt.Sprintf("it is %s: only what has ended can be archived; wait for its end, or cancel it", s.state.Status)}
	}
	if s.state.Parent != nil {
		isDone := func(k closing) bool { return k.archived != nil || k.removed != nil }
		if err := a.withRoot(ctx, id, s.state.Parent.Root, "archive", isDone); err != nil {
			return err
		}
	}
	a.failpoint("archive.before-file")
	ref, err := a.store(ctx, s)
	if err != nil {
		return err
	}
	a.failpoint("archive.after-file")
	if err := a.Blobs.Sync(ctx, ref.Key); err != nil { // soon it is the only copy
		return err
	}
	if err := a.verify(ctx, ref, id, s.digest); err != nil {
		return err
	}
	r := Archived{Archive: ref, History: s.digest, Events: s.state.Version, Summary: s.summary, Asked: who, At: at}
	return a.close(ctx, id, events.Exactly(s.state.Version), archivedType, r)
}

// close stores a record in place of what the stream holds.
func (a *Archive) close(ctx context.Context, id string, expected events.Expected, kind string, v any) error {
	r, err := record(kind, v)
	if err != nil {
		return err
	}
	commitID := ulid.Make().String()
	_, err = a.Events.Replace(ctx, streamPrefix+id, expected, commitID, r)
	if errors.Is(err, events.ErrUnavailable) { // the answer may be what was lost
		_, err = a.Events.Replace(ctx, streamPrefix+id, expected, commitID, r)
	}
	if err != nil {
		return fmt.Errorf("process %q: %w", id, err)
	}
	return nil
}

// clear does what may be left to do once the record is stored. Whatever became
// of the file meanwhile: a history that is still in the stream is forgotten only
// if it can be read from there.
func (a *Archive) clear(ctx context.Context, id string, k closing) error {
	a.failpoint("archive.after-record")
	emptied, err := a.emptied(ctx, id, k)
	if err != nil {
		return err
	}
	if !emptied {
		if err := a.verify(ctx, k.archived.Archive, id, k.archived.History); err != nil {
			return fmt.Errorf("process %q stays in the event store: %w", id, err)
		}
		if err := a.Events.Truncate(ctx, streamPrefix+id); err != nil {
			return err
		}
	}
	a.failpoint("archive.before-snapshots")
	snapshots, err := a.Blobs.Names(ctx, snapshotFolder(id))
	if err != nil {
		return err
	}
	for _, key := range snapshots {
		if err := a.Blobs.Remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// emptied reports whether a stream that is closed holds nothing but the record.
func (a *Archive) emptied(ctx context.Context, id string, k closing) (bool, error) {
	for c, err := range a.Events.ReadCommits(ctx, streamPrefix+id, 0) {
		return err == nil && c.Version() == k.version, err
	}
	return true, nil
}

// story reads the history of a process in the event store.
func (a *Archive) story(ctx context.Context, id string) (story, error) {
	teller := newStoryteller(id)
	for c, err := range historyOf(ctx, a.Events, id, 0) {
		var line []byte
		if err == nil {
			line, err = encodeCommit(c)
		}
		if err == nil {
			err = teller.add(c, line)
		}
		if err != nil {
			return story{}, fmt.Errorf("process %q: %w", id, err)
		}
	}
	if teller.commits == 0 {
		return story{}, fmt.Errorf("process %q: %w", id, process.ErrNotStarted)
	}
	s, err := teller.end()
	if err != nil {
		return s, fmt.Errorf("process %q: %w", id, err)
	}
	return s, nil
}

// archiveKeys is where the file of a story may lie. The first is taken by another
// history if that was archived, never closed, and went on.
func (s story) archiveKeys() []string {
	return []string{archiveFolder + s.state.ID + ".tar.gz", fmt.Sprintf("%s%s.%d.tar.gz", archiveFolder, s.state.ID, s.state.Version)}
}

// store writes the file of a story, unless it is there.
func (a *Archive) store(ctx context.Context, s story) (task.Ref, error) {
	id := s.state.ID
	var taken error
	for _, key := range s.archiveKeys() {
		ref, err := a.found(ctx, key, s)
		if errors.Is(err, blob.ErrNotFound) {
			ref, err = a.create(ctx, key, func(to io.Writer) error { return a.write(ctx, to, s) })
			if errors.Is(err, blob.ErrExists) { // another archiver was faster
				ref, err = a.found(ctx, key, s)
			}
			if err != nil {
				return ref, fmt.Errorf("archive process %q: %w", id, err)
			}
		}
		if err == nil {
			return ref, nil
		}
		if ctx.Err() != nil {
			return ref, context.Cause(ctx)
		}
		taken = err
	}
	return task.Ref{}, fmt.Errorf("archive process %q: its names are taken by what is not its archive; look at it, and remove it if it is of no use: %w", id, taken)
}

func (a *Archive) create(ctx context.Context, key string, write func(io.Writer) error) (task.Ref, error) {
	w, err := a.Blobs.Create(ctx, key)
	if err != nil {
		return task.Ref{}, err
	}
	defer w.Abort()
	if err := write(w); err != nil {
		return task.Ref{}, err
	}
	if err := w.Close(); err != nil {
		return task.Ref{}, err
	}
	return w.Ref(), nil
}

// found is the reference to a file that is there, and holds the story.
func (a *Archive) found(ctx context.Context, key string, s story) (task.Ref, error) {
	r, _, err := a.Blobs.OpenUnverified(ctx, key)
	if err != nil {
		return task.Ref{}, err
	}
	defer r.Close()
	sum := newSum(key)
	there, err := readArchive(io.TeeReader(r, sum), visitor{})
	if err == nil {
		_, err = io.Copy(sum, r)
	}
	if err == nil && there.digest != s.digest {
		err = errors.New("it holds another history")
	}
	if err != nil {
		return task.Ref{}, fmt.Errorf("archive %q: %w", key, err)
	}
	return sum.ref(), nil
}

// Export writes the file of an archived process, as it is stored.
func (a *Archive) Export(ctx context.Context, r Archived, to io.Writer) error {
	from, err := a.Blobs.Open(ctx, r.Archive)
	if err == nil {
		defer from.Close()
		_, err = io.Copy(to, from)
	}
	if err != nil {
		return fmt.Errorf("copy the archive of process %q: %w", r.Summary.ID, err)
	}
	return nil
}
