package process

import "github.com/deedrun/deed/task"

// gatherLists records what a child handed up, as what its task wrote. Of a step
// that repeats its child the latest round is remembered, and what is collected
// is gathered.
func (ed *edits) gatherLists(n *node, e TasksConfirmed) {
	step, _ := ed.graph.step(ed.graph.number[e.Address])
	if step.Process == nil || e.Tasks.Len() != 1 {
		ed.damage("%q has no children", e.Address)
		return
	}
	if step.Repeat != nil {
		n.last = e.Lists
	}
	inline := task.Source{Tasks: e.Tasks}
	for _, out := range step.Out {
		if !step.Gathers(out) {
			continue
		}
		data := e.Lists[out.Local]
		if data.Manifest != nil {
			n.gather(task.Source{Tasks: e.Tasks, Merged: data.Manifest, Data: out.Data})
			continue
		}
		for _, p := range data.Parts {
			inline.Parts = append(inline.Parts, task.Produced{Index: e.Tasks[0].First, Data: out.Data, Part: p})
		}
	}
	if len(inline.Parts) > 0 {
		n.gather(inline)
	}
}

func (ed *edits) reuse(n *node, e TasksReused) {
	if step, isStep := ed.graph.step(ed.graph.number[e.Address]); !isStep || step.Process != nil {
		ed.damage("results of %q cannot be reused", e.Address)
		return
	}
	fresh, retrying := n.tasks.close(ed.token, e.Tasks)
	n.confirmed += fresh
	n.reused += fresh
	n.retrying -= retrying
	if len(e.Parts) > 0 || e.Manifest != nil {
		n.gather(task.Source{Report: e.Manifest, Tasks: e.Tasks, Parts: e.Parts})
	}
}

// skipStep records that a step is over without having begun: what it writes are
// empty lists.
func (ed *edits) skipStep(e StepSkipped) {
	i, ok := ed.graph.number[e.Address]
	step, isStep := ed.graph.step(i)
	if !ok || !isStep || ed.nodes[i].phase != waiting {
		ed.damage("%q cannot be skipped", e.Address)
		return
	}
	n := ed.own(i)
	n.phase, n.generation, n.unmet, n.startedAt, n.endedAt = completed, e.Generation, e.When, e.At, e.At
	n.sealed = make(map[string]task.Dataset, len(step.Out))
	for _, out := range step.Out {
		n.sealed[out.Data] = task.Inline(nil)
		ed.own(ed.graph.seal(out.Data)).phase = completed
	}
	ed.followed(i)
}

func (ed *edits) endRepeat(e RepeatEnded) {
	i, ok := ed.graph.number[e.Address]
	step, _ := ed.graph.step(i)
	if n := ed.nodes[i]; !ok || step.Repeat == nil || n.phase != running || n.generation != e.Generation || n.total != e.Rounds {
		ed.damage("%q cannot end after %d rounds", e.Address, e.Rounds)
		return
	}
	ed.own(i).over = true
}
