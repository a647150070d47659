package deed

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// What changes the store itself, and no process, is done by whoever has it: in
// this process, or, if the runtime asks a server by its API, there. What such a
// server refuses is a *orchestrator.AnswerError.

func (r *Runtime) views() *orchestrator.Views {
	return &orchestrator.Views{Events: r.Events, Blobs: r.Blobs, Log: r.options.Log}
}

// Processes lists the processes as they are now that a filter chooses, the latest first.
func (r *Runtime) Processes(ctx context.Context, f orchestrator.Filter) iter.Seq2[orchestrator.Summary, error] {
	if r.remote != nil {
		return r.remote.Processes(ctx, f) // page by page
	}
	return func(yield func(orchestrator.Summary, error) bool) {
		all, err := r.views().Processes(ctx, time.Now())
		if err != nil {
			yield(orchestrator.Summary{}, err)
			return
		}
		for _, p := range f.Of(all) {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// ViewStatus says of each view what is stored of it.
func (r *Runtime) ViewStatus(ctx context.Context) ([]orchestrator.ViewStatus, error) {
	if r.remote != nil {
		return r.remote.ViewStatus(ctx)
	}
	return r.views().Status(ctx)
}

// RebuildViews folds the views from the first event, compares them with the
// stored ones, and stores them.
func (r *Runtime) RebuildViews(ctx context.Context) (orchestrator.Rebuilt, error) {
	if r.remote != nil {
		return r.remote.RebuildViews(ctx)
	}
	return r.views().Rebuild(ctx, time.Now())
}

// Due lists what the retention settings ask for now.
func (r *Runtime) Due(ctx context.Context) ([]orchestrator.Due, error) {
	if r.remote != nil {
		return r.remote.Due(ctx, time.Time{}, "")
	}
	return r.Archive.DueBy(ctx, time.Now())
}

// EndedBefore lists the processes that ended before a time and are not archived
// yet, of the definition of a name if that is given.
func (r *Runtime) EndedBefore(ctx context.Context, before time.Time, name string) ([]orchestrator.Due, error) {
	if r.remote != nil {
		return r.remote.Due(ctx, before, name)
	}
	return r.Archive.EndedBefore(ctx, before, name)
}

// PutArchive archives a process that has ended; see [orchestrator.Archive.Put].
func (r *Runtime) PutArchive(ctx context.Context, id string, who process.Asked) (a orchestrator.Archived, changed bool, err error) {
	if r.remote == nil {
		return r.Archive.Put(ctx, id, who, time.Now())
	}
	done, err := r.remote.Archive(ctx, id, asked(who))
	if err != nil {
		return a, false, err
	}
	a, err = r.archived(ctx, id)
	return a, done.Changed, err
}

// RemoveArchive removes the archive of a process for good.
func (r *Runtime) RemoveArchive(ctx context.Context, id string, who process.Asked) (removed bool, err error) {
	if r.remote == nil {
		return r.Archive.Remove(ctx, id, who, time.Now())
	}
	done, err := r.remote.RemoveArchive(ctx, id, asked(who))
	return done.Changed, err
}

// ImportArchive takes in the file of a process that was archived elsewhere; see
// [orchestrator.Archive.Import].
func (r *Runtime) ImportArchive(ctx context.Context, file io.ReadSeeker, who process.Asked) (a orchestrator.Archived, changed bool, err error) {
	if r.remote == nil {
		return r.Archive.Import(ctx, file, who, time.Now())
	}
	done, err := r.remote.ImportArchive(ctx, file, asked(who))
	if err != nil {
		return a, false, err
	}
	a, err = r.archived(ctx, done.ID)
	return a, done.Changed, err
}

// archived reads the record of a process that was archived just now.
func (r *Runtime) archived(ctx context.Context, id string) (orchestrator.Archived, error) {
	a, removed, err := r.Archive.Closed(ctx, id)
	switch {
	case err != nil:
		return orchestrator.Archived{}, err
	case removed != nil:
		return orchestrator.Archived{}, &orchestrator.RemovedError{Removed: *removed}
	case a == nil:
		return orchestrator.Archived{}, fmt.Errorf("process %q was archived by %s, and is not archived any more", id, r.Joined)
	}
	return *a, nil
}

// SetRetention sets how long the processes of a definition stay; see
// [orchestrator.SetRetention].
func (r *Runtime) SetRetention(ctx context.Context, set orchestrator.Retention) error {
	if r.remote != nil {
		return r.remote.SetRetention(ctx, set)
	}
	return orchestrator.SetRetention(ctx, r.Events, set)
}

// UnsetRetention takes a setting back; known is false if there is none.
func (r *Runtime) UnsetRetention(ctx context.Context, name string, who process.Asked) (known bool, err error) {
	if r.remote != nil {
		return r.remote.UnsetRetention(ctx, name, asked(who))
	}
	return orchestrator.UnsetRetention(ctx, r.Events, name, who, time.Now())
}

func asked(who process.Asked) wire.Asked {
	return wire.Asked{By: who.By, Reason: who.Reason, Command: who.Command}
}
