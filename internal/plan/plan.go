// Package plan says what a job would do, by what is known of earlier runs and of the
// results that tasks left. The walk itself is that of package dryrun.
package plan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/cached"
	"github.com/deedrun/deed/internal/dryrun"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Options say what a plan goes by; the zero value is fine.
type Options struct {
	Assume map[string]dryrun.Output // what each task writes, by name of data
	Like   string                   // ID of an earlier run to go by; "": the latest of the same name that completed
}

// Plan is what a job would do. Nothing of it was done.
type Plan struct {
	*dryrun.Plan
	Like string `json:"like,omitempty"` // the run that it goes by; "": there is none
}

// Of is the plan of a job. It reads the inputs, if results of earlier tasks may be
// reused, and stores nothing. r may be nil: then nothing is known of earlier runs.
func Of(ctx context.Context, r *deed.Runtime, job deed.Job, o Options) (*Plan, error) {
	start, err := deed.Preview(ctx, job)
	if err != nil {
		return nil, err
	}
	start.ID, start.At = "plan", time.Now()
	p := &planner{r: r, versions: map[string][]string{}}
	planned := &Plan{}
	options := dryrun.Options{Assume: o.Assume}
	if r != nil {
		if options.Recorded, err = p.runLike(ctx, start.Definition.Name, o.Like); err != nil {
			return nil, err
		}
		options.Child = func(id string) (process.State, error) { return orchestrator.Load(ctx, r.Archive, id) }
		options.Look = func(w task.Work) ([]task.Produced, bool) {
			w.Scope = start.Definition.Name
			return p.look(ctx, w)
		}
	}
	if options.Recorded != nil {
		planned.Like = options.Recorded.ID
	}
	if planned.Plan, err = dryrun.Run(ctx, start, options); err != nil {
		return nil, err
	}
	return planned, p.trouble
}

// planner reads what a plan needs.
type planner struct {
	r        *deed.Runtime
	versions map[string][]string // by handler
	trouble  error               // of looking for results; the first
}

// runLike is the run that a plan goes by; nil: there is none.
func (p *planner) runLike(ctx context.Context, name, id string) (*process.State, error) {
	if id == "" {
		for run, err := range p.r.Processes(ctx, orchestrator.Filter{Name: name, Status: string(process.Completed), Roots: true}) {
			if err != nil {
				return nil, err
			}
			id = run.ID
			break
		}
		if id == "" {
			return nil, nil
		}
	}
	s, err := orchestrator.Load(ctx, p.r.Archive, id)
	switch {
	case err != nil:
		return nil, err
	case s.Version == 0:
		return nil, fmt.Errorf("go by process %q: %w", id, process.ErrNotStarted)
	}
	return &s, nil
}

// look finds what an equal task wrote, under whatever version of its handler is
// offered now. Trouble is remembered: the plan goes on without.
func (p *planner) look(ctx context.Context, w task.Work) ([]task.Produced, bool) {
	inputs, known := w.KnownInputs(0)
	if !known {
		return nil, false
	}
	for _, version := range p.versionsOf(ctx, w.Run.Handler) {
		entry, err := p.r.Blobs.Cache().LookUp(ctx, task.CacheKey(w.Ingredients(version, inputs)))
		if err != nil {
			if !errors.Is(err, blob.ErrUncached) && p.trouble == nil {
				p.trouble = err
			}
			continue
		}
		if parts, ok := p.taken(ctx, w, entry); ok {
			return parts, true
		}
	}
	return nil, false
}

func (p *planner) versionsOf(ctx context.Context, handler string) []string {
	if p.versions[handler] == nil {
		p.versions[handler] = cached.Versions(ctx, p.r, handler)
	}
	return p.versions[handler]
}

// taken is what an earlier task wrote as what the one task of a message would.
func (p *planner) taken(ctx context.Context, w task.Work, entry blob.Cached) (parts []task.Produced, ok bool) {
	names := map[string]string{}
	for _, out := range w.Outputs {
		names[out.Local] = out.Data
	}
	for part, err := range p.r.Blobs.Cache().Parts(ctx, entry) {
		name := names[part.Data]
		if err != nil || name == "" {
			return nil, false
		}
		part.Index, part.Data = w.Tasks[0].First, name
		parts = append(parts, part)
	}
	return parts, true
}
