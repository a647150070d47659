package process

import (
	"fmt"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// Child is the command that starts the child of an attempt at a task. Where the
// list of elements is not known to the core, looked is what a worker found that
// the child reads, by local name; see [task.ChildHandler].
func Child(s State, tasks StartChildren, index int, looked map[string]task.Dataset, at time.Time) (StartProcess, error) {
	step, _ := s.Step(tasks.Address)
	_, n, _ := s.find(tasks.Address)
	if step.Process == nil || n.phase != running || index < 0 || index >= n.total || tasks.Generation != n.generation {
		return StartProcess{}, fmt.Errorf("process %q: %s[%d] of generation %d has no child", s.ID, tasks.Address, index, tasks.Generation)
	}
	parent := s.parentOf(tasks, index)
	start := StartProcess{
		ID: ChildID(parent), Definition: childDefinition(*s.Definition, step), Inputs: map[string]task.Dataset{},
		Trace: s.Trace, Parent: &parent, Asked: Asked{By: s.Submitted.By}, At: at,
	}
	for _, in := range s.elements(step, task.Span(index, 1)) {
		if in.Manifest == nil {
			start.Inputs[in.Local] = task.Inline(in.Lists[0])
			continue
		}
		data, found := looked[in.Local]
		if !found {
			return StartProcess{}, fmt.Errorf("process %q: what the child of %s[%d] reads as %q has not been looked up", s.ID, step.Address, index, in.Local)
		}
		start.Inputs[in.Local] = data
	}
	for _, b := range step.In {
		start.Inputs[b.Local], _ = s.Data(b.Data)
	}
	if step.Repeat != nil {
		for local, out := range step.Repeat.Carry {
			start.Inputs[local] = task.Inline(nil)
			if data, wrote := n.last[out]; wrote {
				start.Inputs[local] = data
			}
		}
	}
	return start, nil
}

func (s State) parentOf(tasks StartChildren, index int) Parent {
	root := s.ID
	if s.Parent != nil {
		root = s.Parent.Root
	}
	return Parent{Process: s.ID, Address: tasks.Address, Generation: tasks.Generation, Index: index, Attempt: tasks.Attempt, Root: root}
}

// childDefinition is named after its place, so that whoever may see the root
// knows the children by the same name. The timeout of the step is its deadline,
// and its share of the workers is that of its parent, unless it says otherwise.
func childDefinition(parent definition.Definition, step definition.Step) definition.Definition {
	def := *step.Process
	def.Name = parent.Name + "/" + step.Address
	if def.Weight == 0 {
		def.Weight = parent.Weight
	}
	if step.Timeout > 0 && (def.Deadline == 0 || step.Timeout < def.Deadline) {
		def.Deadline = step.Timeout
	}
	return def
}

// lookedUp reports whether a worker has to look up what the children of a step read.
func (s State) lookedUp(step definition.Step) bool {
	if step.Each == nil {
		return false
	}
	for _, b := range joined(*step.Each) {
		if data, _ := s.Data(b.Data); data.Manifest != nil {
			return true
		}
	}
	return false
}

// Children lists the tasks that are under way as children.
func (s State) Children() []StartChildren {
	var all []StartChildren
	for i, n := range s.nodes {
		step, isStep := s.graph.step(i)
		if !isStep || step.Process == nil || n.phase != running {
			continue
		}
		for _, e := range s.outstandingOf(i) {
			if e, ok := e.(Enqueue); ok {
				all = append(all, StartChildren(e))
			}
		}
	}
	return all
}

// Outcome is what a child has to say to its parent now: that it has begun, or
// how it ended. ok is false for a process that has no parent.
func (s State) Outcome() (parent Parent, r task.Result, ok bool) {
	if s.Parent == nil {
		return Parent{}, task.Result{}, false
	}
	p := *s.Parent
	r = task.Result{Address: p.Address, Generation: p.Generation, Attempt: p.Attempt, Tasks: task.Span(p.Index, 1), Outcome: task.Begun}
	for _, n := range s.nodes {
		r.Elapsed += task.Duration(n.elapsed)
	}
	switch s.Status {
	case Completed:
		r.Outcome, r.Lists = task.Done, make(map[string]task.Dataset, len(s.Definition.Outputs))
		for _, name := range s.Definition.Outputs {
			r.Lists[name], _ = s.Data(name)
		}
	case Failed:
		r.Outcome, r.Failure = task.Failed, &task.Failure{Verdict: task.Retry, Error: clip(s.childSays(s.Failure.String()), task.MaxError)}
	case Cancelled:
		r.Outcome, r.Failure = task.Failed, &task.Failure{Verdict: task.Permanent, Error: clip(s.childSays(s.Cancel.String()), task.MaxError)}
	}
	return p, r, true
}

func (s State) childSays(what string) string { return fmt.Sprintf("its child %s: %s", s.ID, what) }
