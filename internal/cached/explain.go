package cached

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Explanation says what became of a task whose step has a cache, and in what
// it differs from another one.
type Explanation struct {
	Task    Task         `json:"task"`
	Other   *Task        `json:"other,omitempty"` // nil: there is none to compare it with
	Differs []Difference `json:"differs"`
	Same    []string     `json:"same"` // names of ingredients that are the same
}

// Task is a task, and what its result follows from.
type Task struct {
	Process     string            `json:"process"`
	Address     string            `json:"address"`
	Index       int               `json:"index"`
	Element     string            `json:"element,omitempty"` // what people call what it is about
	Cache       definition.Cache  `json:"cache,omitempty"`   // what its step does with earlier results; "": nothing
	Done        bool              `json:"done"`
	Reused      *task.Origin      `json:"reused,omitempty"` // it took the result of this one
	Left        bool              `json:"left"`             // a result for equal tasks is there, its own or another's
	Key         string            `json:"key,omitempty"`    // "": the version of its handler is not known any more
	Ingredients []task.Ingredient `json:"ingredients"`

	work   task.Work
	inputs []taskInput
}

// Difference is an ingredient in which two tasks differ.
type Difference struct {
	Ingredient string `json:"ingredient"`
	What       string `json:"what"` // in words
}

// unknownVersion stands for the version of a handler that nobody knows any more.
const unknownVersion = "not known any more"

// Explain compares a task with one of another process; "" for that is the
// one whose result it took, or else a process of the same definition that ran
// before. An address or index that is none is an error.
func Explain(ctx context.Context, at *deed.Runtime, id, address string, index int, other string) (*Explanation, error) {
	r := reader{at}
	state, err := r.started(ctx, id)
	if err != nil {
		return nil, err
	}
	t, err := r.cacheTask(ctx, &state, address, index)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Task: *t, Differs: []Difference{}, Same: []string{}}
	o, err := r.counterpart(ctx, &state, t, other)
	if err != nil || o == nil {
		return e, err
	}
	e.Other = o
	return e, r.compare(ctx, e)
}

// reader reads what is known of tasks.
type reader struct{ *deed.Runtime }

func (r reader) started(ctx context.Context, id string) (process.State, error) {
	state, err := orchestrator.Load(ctx, r.Archive, id)
	if err == nil && state.Version == 0 {
		err = fmt.Errorf("there is no process %q", id)
	}
	return state, err
}

// cacheTask is all that is known of a task.
func (r reader) cacheTask(ctx context.Context, s *process.State, address string, index int) (*Task, error) {
	w, err := orchestrator.WorkAgain(*s, address, index)
	if err != nil {
		return nil, err
	}
	step, _ := s.Step(address)
	t := &Task{Process: s.ID, Address: address, Index: index, Element: s.Element(address, index), Cache: step.Cache, work: w}
	if step.Process != nil {
		return nil, fmt.Errorf("each task of %s is a process of its own: look at the tasks of that", address)
	}
	t.Done = len(s.Open(address, w.Generation, task.Span(index, 1))) == 0
	if t.Reused, err = r.reusedBy(ctx, s.ID, address, w.Generation, index); err != nil {
		return nil, err
	}
	for i := range w.Inputs {
		in, err := r.taskInput(ctx, s, &w, i)
		if err != nil {
			return nil, err
		}
		t.inputs = append(t.inputs, in)
		if i == 0 && t.Element == "" && step.Each != nil && step.Each.Into == 0 && len(in.first) > 0 {
			t.Element = in.first
		}
	}
	return t, r.identify(ctx, t)
}

// identify finds under which version of the handler a result was left, and the
// key with it.
func (r reader) identify(ctx context.Context, t *Task) error {
	digests := make([]string, len(t.inputs))
	for i, in := range t.inputs {
		digests[i] = in.digest
	}
	versions := Versions(ctx, r.Runtime, t.work.Run.Handler)
	for _, version := range versions {
		all := t.work.Ingredients(version, digests)
		key := task.CacheKey(all)
		entry, err := r.Blobs.Cache().Entry(ctx, key)
		switch {
		case err != nil && !errors.Is(err, blob.ErrUncached):
			return err
		case err == nil && (!t.Left || entry.Origin == t.work.At(t.Index)) || t.Reused != nil && t.Reused.Key == key:
			t.Key, t.Ingredients, t.Left = key, all, err == nil
		}
	}
	if t.Key != "" {
		return nil
	}
	if len(versions) == 1 {
		t.Ingredients = t.work.Ingredients(versions[0], digests)
		t.Key = task.CacheKey(t.Ingredients)
		return nil
	}
	t.Ingredients = t.work.Ingredients(unknownVersion, digests)
	return nil
}

// Versions lists those of a handler under which results may have been left: the one
// that it names, or else none and those that are offered now.
func Versions(ctx context.Context, r *deed.Runtime, handler string) []string {
	if version, known := task.HandlerVersion(handler); known {
		return []string{version}
	}
	versions := []string{""}
	for _, name := range r.Offered(ctx) {
		if version, ok := strings.CutPrefix(name, handler+"@"); ok && !slices.Contains(versions, version) {
			versions = append(versions, version)
		}
	}
	return versions
}

// reusedBy is whose result a task took; nil: it took none.
func (r reader) reusedBy(ctx context.Context, id, address string, generation, index int) (*task.Origin, error) {
	for e, err := range orchestrator.History(ctx, r.Archive, id) {
		if err != nil {
			return nil, err
		}
		if e.Type != "tasks-reused" {
			continue
		}
		event, err := process.Decode(process.Stored(e.Record))
		if err != nil {
			return nil, err
		}
		reused, ok := event.(process.TasksReused)
		if !ok || reused.Address != address || reused.Generation != generation {
			continue
		}
		if i := slices.IndexFunc(reused.Origins, func(o task.Origin) bool { return o.Index == index }); i >= 0 {
			return &reused.Origins[i], nil
		}
	}
	return nil, nil
}

// counterpart is the task to compare one with; nil: there is none.
func (r reader) counterpart(ctx context.Context, s *process.State, t *Task, other string) (*Task, error) {
	if other == "" && t.Reused != nil {
		from := t.Reused.Attempt
		state, err := r.started(ctx, from.Process)
		if err != nil {
			return nil, nil //nolint:nilerr // it was removed since, and is no counterpart any more
		}
		return r.cacheTask(ctx, &state, from.Address, from.Index)
	}
	if other != "" {
		state, err := r.started(ctx, other)
		if err != nil {
			return nil, err
		}
		index, err := r.sameElement(ctx, &state, t)
		if err != nil {
			return nil, err
		}
		return r.cacheTask(ctx, &state, t.Address, index)
	}
	for p, err := range r.Processes(ctx, orchestrator.Filter{Name: s.Definition.Name}) {
		if err != nil {
			return nil, err
		}
		if p.ID == s.ID || !p.StartedAt.Before(s.StartedAt) {
			continue
		}
		state, err := r.started(ctx, p.ID)
		if err != nil {
			continue // it was removed since
		}
		index, err := r.sameElement(ctx, &state, t)
		if err != nil {
			return nil, err
		}
		if o, err := r.cacheTask(ctx, &state, t.Address, index); err == nil {
			return o, nil
		}
	}
	return nil, nil
}
