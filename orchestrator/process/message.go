package process

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// Message is the message on the work queue for some tasks of a step: all that
// a worker needs to execute them. Everything in it follows from what the step
// reads, which is sealed, and from the indexes.
func Message(s State, e Enqueue, tasks task.Ranges) (task.Work, error) {
	i, n, ok := s.find(e.Address)
	if !ok || n.phase != running || len(tasks) == 0 || tasks[0].First < 0 || tasks[len(tasks)-1].End() > n.total {
		return task.Work{}, fmt.Errorf("process %q: %s is not there to be executed", s.ID, subject(e.Address, tasks))
	}
	w := task.Work{Process: s.ID, Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: tasks}
	step, isStep := s.graph.step(i)
	if isStep && step.Process != nil {
		w.Run.Handler, w.Pool, w.Inputs = task.ChildHandler, step.Pool, s.elements(step, tasks)
		return w, nil
	}
	if !isStep {
		w.Run.Handler, w.Pool = task.SealHandler, s.Pool(e.Address)
		seal := s.merge(i, tasks[0].First)
		w.Seal = &seal
		return w, nil
	}
	s.describe(&w, step)
	return w, nil
}

// MessageAgain is the message for a task of a step that has started, whether it
// is still to be executed or was long ago: for a person who wants to try it.
func MessageAgain(s State, address string, index int) (task.Work, error) {
	if s.graph == nil {
		return task.Work{}, ErrNotStarted
	}
	i, n, ok := s.find(address)
	if !ok {
		return task.Work{}, s.noStep(address)
	}
	step, isStep := s.graph.step(i)
	switch {
	case isStep && step.Process != nil:
		return task.Work{}, fmt.Errorf("the tasks of %s are processes of their own: try a task of one of those", address)
	case !isStep:
		return task.Work{}, fmt.Errorf("%s is what deed does itself, to merge lists: there is nothing to try", address)
	case n.phase == waiting:
		return task.Work{}, fmt.Errorf("%s has not started: what it reads is not there yet", address)
	case index < 0 || index >= n.total:
		return task.Work{}, fmt.Errorf("%s has %s, and none is %s[%d]", address, amount.Of(n.total, "task"), address, index)
	}
	attempt := n.tasks.trouble(index).attempt
	w := task.Work{Process: s.ID, Address: address, Generation: n.generation, Attempt: attempt, Tasks: task.Span(index, 1)}
	s.describe(&w, step)
	return w, nil
}

// describe says what a step does, and what its tasks read.
func (s State) describe(w *task.Work, step definition.Step) {
	if s.Parent != nil {
		w.Root = s.Parent.Root
	}
	w.Run, w.Params, w.Files, w.Timeout = step.Run, s.Definition.Params, s.Definition.Files, step.Timeout
	w.Pool, w.Needs, w.Env = step.Pool, step.Needs, step.Env
	w.Limits, w.Cache, w.Refresh = step.Limits, step.Cache != "", step.Cache == definition.CacheRefresh
	if len(step.Params) > 0 {
		w.Params = maps.Clone(w.Params)
		if w.Params == nil {
			w.Params = map[string]json.RawMessage{}
		}
		maps.Copy(w.Params, step.Params)
	}
	for _, out := range step.Out {
		w.Outputs = append(w.Outputs, task.Output{Local: out.Local, Data: out.Data, JSON: string(out.JSON)})
	}
	w.Inputs = s.elements(step, w.Tasks)
	for _, b := range step.In {
		w.Inputs = append(w.Inputs, s.fill(task.Input{Local: b.Local, Mode: task.Whole}, b.Data, w.Tasks))
	}
}

// elements is what `each` gives to tasks.
func (s State) elements(step definition.Step, tasks task.Ranges) []task.Input {
	if step.Each == nil {
		return nil
	}
	if len(step.Each.With) > 0 && step.Each.Into == 0 {
		return s.join(step, tasks)
	}
	var inputs []task.Input
	for _, b := range joined(*step.Each) {
		in := task.Input{Local: b.Local, Mode: task.Element, Into: step.Each.Into}
		if step.Each.ByKey {
			in.Mode = task.Group
		}
		inputs = append(inputs, s.fill(in, b.Data, tasks))
	}
	return inputs
}

func (s State) fill(in task.Input, name string, tasks task.Ranges) task.Input {
	data, _ := s.Data(name)
	if data.Manifest != nil {
		in.Manifest, in.Digest = data.Manifest, data.Digest
		return in
	}
	switch {
	case in.Mode == task.Whole:
		in.Lists = [][]task.Part{data.Parts}
	case in.Mode == task.Element:
		for i := range tasks.All() {
			end := len(data.Parts) // a damaged history may have more tasks
			in.Lists = append(in.Lists, data.Parts[min(i, end):min(i+1, end)])
		}
	default:
		groups := group(data.Parts, in.Into)
		for i := range tasks.All() {
			in.Lists = append(in.Lists, groups(i))
		}
	}
	return in
}

// group gives the parts of task i: those of the i-th distinct key, or, with
// buckets, those whose key falls into bucket i.
func group(parts []task.Part, into int) func(i int) []task.Part {
	if into > 0 {
		buckets := map[int][]task.Part{}
		for _, p := range parts {
			b := task.Bucket(p.Key, into)
			buckets[b] = append(buckets[b], p)
		}
		return func(i int) []task.Part { return buckets[i] }
	}
	var groups [][]task.Part
	for run := range runs(parts) {
		groups = append(groups, run)
	}
	return func(i int) []task.Part {
		if i < len(groups) {
			return groups[i]
		}
		return nil
	}
}

// runs yields the runs of parts with the same key.
func runs(parts []task.Part) iter.Seq[[]task.Part] {
	return func(yield func([]task.Part) bool) {
		for first := 0; first < len(parts); {
			end := first + 1
			for end < len(parts) && parts[end].Key == parts[first].Key {
				end++
			}
			if !yield(parts[first:end]) {
				return
			}
			first = end
		}
	}
}
