package orchestrator

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/task"
)

// historyOf yields the commits of the history of a process, from the one that
// holds event after+1 on, and no record of the shell. That of an archived
// process is an error if it cannot be read from there.
func historyOf(ctx context.Context, from Commits, id string, after uint64) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		next := after
		for c, err := range from.ReadCommits(ctx, streamPrefix+id, after) {
			var k closing
			if err == nil {
				k, err = closingOf(c)
			}
			switch {
			case err != nil:
			case k.archived != nil && next >= k.archived.Events:
				return // it is closed, and has not been emptied yet
			case k.archived != nil:
				err = fmt.Errorf("its history is in the archive %q, which is not read here", k.archived.Archive.Key)
			case k.removed != nil:
				err = &RemovedError{*k.removed}
			}
			if !yield(c, err) || err != nil {
				return
			}
			next = c.Version()
		}
	}
}

// ReadCommits implements [Commits]. A history is archived at any moment, also
// while it is read: then the rest comes from the file.
func (a *Archive) ReadCommits(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		next := after
		for c, err := range a.Events.ReadCommits(ctx, stream, after) {
			var k closing
			if err == nil {
				k, err = closingOf(c)
			} else if last, ok, lastErr := a.Events.Last(ctx, stream); lastErr == nil && ok {
				if k, lastErr = closingOf(last); lastErr != nil || k.archived == nil {
					k = closing{} // it is the error of a stream that is still to be read
				}
			}
			switch {
			case k.archived != nil:
				if next < k.archived.Events {
					a.readFile(ctx, stream, *k.archived, next, yield)
				}
				return
			case err == nil && k.removed != nil:
				err = &RemovedError{*k.removed}
			}
			if !yield(c, err) || err != nil {
				return
			}
			next = c.Version()
		}
	}
}

// readFile yields the commits in a file that hold events after a version. The
// file is verified before anything of it is believed.
func (a *Archive) readFile(ctx context.Context, stream string, r Archived, after uint64, yield func(events.Commit, error) bool) {
	id := strings.TrimPrefix(stream, streamPrefix)
	if err := a.verify(ctx, r.Archive, id, r.History); err != nil {
		yield(events.Commit{}, err)
		return
	}
	stopped := false
	_, err := a.read(ctx, r.Archive, visitor{commit: func(c events.Commit) error {
		if c.Version() <= after {
			return nil
		}
		c.Stream = stream
		if !yield(c, nil) {
			stopped = true
			return errEnough
		}
		return nil
	}})
	if err != nil && !stopped {
		yield(events.Commit{}, err)
	}
}

// verify reads the file of an archive from beginning to end. history is the
// digest that its commits have to have.
func (a *Archive) verify(ctx context.Context, ref task.Ref, id, history string) error {
	s, err := a.read(ctx, ref, visitor{})
	switch {
	case err != nil:
		return err
	case s.state.ID != id:
		return fmt.Errorf("archive %q: it is of process %q, not of %q", ref.Key, s.state.ID, id)
	case s.digest != history:
		return fmt.Errorf("archive %q: it holds another history than the one that was archived", ref.Key)
	}
	return nil
}

func (a *Archive) read(ctx context.Context, ref task.Ref, v visitor) (story, error) {
	r, err := a.Blobs.Open(ctx, ref)
	if err != nil {
		return story{}, fmt.Errorf("archive %q cannot be read: %w", ref.Key, err)
	}
	defer r.Close()
	s, err := readArchive(r, v)
	if err == nil {
		_, err = io.Copy(io.Discard, r) // up to where it says that these were the bytes that were written
	}
	if err != nil {
		return s, fmt.Errorf("archive %q: %w", ref.Key, err)
	}
	return s, nil
}
