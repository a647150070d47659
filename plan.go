package deed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/dryrun"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// PlanOptions say what a plan goes by; the zero value is fine.
type PlanOptions struct {
	Assume map[string]dryrun.Output // what each task writes, by name of data
	Like   string                   // ID of an earlier run to go by; "": the latest of the same name that completed
}

// Planned is what a job would do. Nothing of it was done.
type Planned struct {
	*dryrun.Plan
	Like string `json:"like,omitempty"` // the run that it goes by; "": there is none
}

// Plan says what a job would do, by walking its definition through the core: see
// package dryrun. It reads the inputs, if results of earlier tasks may be reused,
// and stores nothing. r may be nil: then nothing is known of earlier runs.
func Plan(ctx context.Context, r *Runtime, job Job, o PlanOptions) (*Planned, error) {
	p := &planner{r: r, versions: map[string][]string{}}
	def, err := p.resolve(job)
	if err != nil {
		return nil, err
	}
	if err := checkInputs(def, job.Inputs); err != nil {
		return nil, err
	}
	start := process.StartProcess{ID: "plan", Definition: def, Inputs: map[string]task.Dataset{}, At: time.Now()}
	for name, in := range job.Inputs {
		parts, err := p.list(ctx, in, caches(def))
		if err != nil {
			return nil, &InputError{Name: name, err: err}
		}
		start.Inputs[name] = task.Dataset{Parts: parts}
	}
	planned := &Planned{}
	options := dryrun.Options{Assume: o.Assume}
	if r != nil {
		if options.Recorded, err = r.runLike(ctx, def.Name, o.Like); err != nil {
			return nil, err
		}
		options.Child = func(id string) (process.State, error) { return orchestrator.Load(ctx, r.Archive, id) }
		if caches(def) && !job.NoCache {
			scope := def.Name
			options.Look = func(w task.Work) ([]task.Produced, bool) {
				w.Scope = scope
				return p.look(ctx, w)
			}
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
	r        *Runtime
	versions map[string][]string // by handler
	trouble  error               // of looking for results; the first
}

// resolve is Runtime.resolve, without storing what travels with the definition.
func (p *planner) resolve(job Job) (definition.Definition, error) {
	files, err := filesBeside(job.Source, hashed)
	if err != nil {
		return definition.Definition{}, err
	}
	def, faults := definition.Resolve(job.Source, job.Params, job.Settings, files)
	if len(faults) > 0 {
		return def, &FaultsError{faults}
	}
	return def, nil
}

// caches reports whether some step may take results of earlier tasks.
func caches(def definition.Definition) bool {
	for _, s := range def.Steps {
		if s.Cache == definition.CacheUse || s.Process != nil && caches(*s.Process) {
			return true
		}
	}
	return false
}

// runLike is the run that a plan goes by; nil: there is none.
func (r *Runtime) runLike(ctx context.Context, name, id string) (*process.State, error) {
	if id == "" {
		for p, err := range r.Processes(ctx, orchestrator.Filter{Name: name, Status: string(process.Completed), Roots: true}) {
			if err != nil {
				return nil, err
			}
			id = p.ID
			break
		}
		if id == "" {
			return nil, nil
		}
	}
	s, err := orchestrator.Load(ctx, r.Archive, id)
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
	if version, known := task.HandlerVersion(handler); known {
		return []string{version}
	}
	if p.versions[handler] == nil {
		p.versions[handler] = append([]string{""}, p.r.versionsOf(ctx, handler)...)
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
