package process

import (
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

// Evolve records one event. The given state stays as it was. An event that
// makes no sense in the history leaves its mark in State.Damage; it never panics.
func Evolve(s State, e Event) State {
	ed := edit(s)
	ed.apply(e)
	return ed.State
}

// Fold records events one after the other; it copies what they touch once,
// not once an event.
func Fold(s State, events ...Event) State {
	ed := edit(s)
	for _, e := range events {
		ed.apply(e)
	}
	return ed.State
}

// edits is a state being changed: nodes and chunks are copied when first
// touched, so the state it began from is never written to.
type edits struct {
	State
	token *token
}

func edit(s State) *edits {
	s.nodes = slices.Clone(s.nodes)
	return &edits{State: s, token: &token{}}
}

// own makes node i writable.
func (ed *edits) own(i int) *node {
	n := ed.nodes[i]
	if n.owner == ed.token {
		return n
	}
	c := *n
	c.owner = ed.token
	c.tasks.chunks = slices.Clone(n.tasks.chunks)
	c.levels = slices.Clone(n.levels)
	c.merged = slices.Clone(n.merged)
	ed.nodes[i] = &c
	return &c
}

func (ed *edits) damage(format string, args ...any) {
	if ed.damaged == nil {
		ed.damaged = fmt.Errorf("event %d of process %q makes no sense: %s", ed.Version, ed.ID, fmt.Sprintf(format, args...))
	}
}

func (ed *edits) apply(e Event) {
	ed.Version++
	if started, ok := e.(ProcessStarted); ok {
		ed.start(started)
		return
	}
	if ed.graph == nil {
		ed.damage("it comes before ProcessStarted")
		return
	}
	switch e := e.(type) {
	case StepStarted:
		ed.startStep(e)
	case TasksScheduled:
		ed.nextRound(e)
		if n := ed.tasksOf(e.Address, e.Generation, e.Tasks); n != nil {
			ed.schedule(n, e)
		}
	case TasksConfirmed:
		if n := ed.tasksOf(e.Address, e.Generation, e.Tasks); n != nil {
			if _, isStep := ed.graph.step(ed.graph.number[e.Address]); isStep != (e.Sealed == nil) || !isStep && e.Tasks.Len() != 1 {
				ed.damage("a task of %q carries one merged list if that is a merge, and none otherwise", e.Address)
				return
			}
			ed.confirm(n, e)
		}
	case TasksReused:
		if n := ed.tasksOf(e.Address, e.Generation, e.Tasks); n != nil {
			ed.reuse(n, e)
		}
	case StepSkipped:
		ed.skipStep(e)
	case RepeatEnded:
		ed.endRepeat(e)
	case TasksFailed:
		if n := ed.tasksOf(e.Address, e.Generation, e.Tasks); n != nil {
			n.failures += e.Tasks.Len()
			ed.trouble(n, e.Tasks, func(t *trouble) { t.failures, t.stand = t.failures+1, broken })
		}
	case TaskTimedOut:
		if n := ed.tasksOf(e.Address, e.Generation, task.Span(e.Index, 1)); n != nil {
			n.failures++
			ed.trouble(n, task.Span(e.Index, 1), func(t *trouble) { t.failures, t.stand = t.failures+1, broken })
		}
	case TasksLost:
		if n := ed.tasksOf(e.Address, e.Generation, e.Tasks); n != nil {
			n.losses += e.Tasks.Len()
			ed.trouble(n, e.Tasks, func(t *trouble) { t.losses, t.stand = t.losses+1, broken })
		}
	case TasksRetryPlanned:
		if n := ed.tasksOf(e.Address, e.Generation, e.Tasks); n != nil {
			ed.trouble(n, e.Tasks, func(t *trouble) {
				if t.stand != planned {
					n.retrying++
				}
				t.attempt, t.stand, t.due = e.Attempt, planned, e.Due.UnixNano()
			})
		}
	case TasksSkipped:
		if n := ed.tasksOf(e.Address, e.Generation, e.Tasks); n != nil {
			ed.skip(n, e)
		}
	case StepCompleted:
		ed.completeStep(e)
	case ProcessCompleted:
		ed.Status, ed.EndedAt, ed.Pause = Completed, e.At, nil
	case ProcessFailed:
		ed.Status, ed.EndedAt, ed.Failure, ed.Pause = Failed, e.At, &e, nil
	case ProcessDeadlineMissed: // what follows from it is an event of its own
	default:
		if !ed.byPerson(e) {
			ed.damage("this version does not know events of type %T", e)
		}
	}
}

func (ed *edits) start(e ProcessStarted) {
	if ed.graph != nil {
		ed.damage("the process had started before")
		return
	}
	ed.ID = e.ID
	g, err := newGraph(&e.Definition)
	if err != nil {
		ed.damage("%v", err)
		return
	}
	for name, d := range e.Inputs {
		if d.Manifest == nil && d.Count != len(d.Parts) {
			ed.damage("input %q says it has %d parts but lists %d", name, d.Count, len(d.Parts))
			return
		}
	}
	ed.graph, ed.Definition, ed.Original, ed.Hash, ed.Inputs = g, &e.Definition, &e.Definition, e.Hash, e.Inputs
	ed.Status, ed.StartedAt, ed.SetOffAt, ed.left = Running, e.At, e.At, len(e.Definition.Steps)
	ed.Submitted, ed.Trace, ed.Parent = e.Asked, e.Trace, e.Parent
	ed.nodes = make([]*node, len(e.Definition.Steps)+len(g.seals))
	for i := range ed.nodes {
		ed.nodes[i] = &node{owner: ed.token}
		if i < len(g.needs) {
			ed.nodes[i].needs = g.needs[i]
		}
	}
}

// tasksOf is the node that an event about tasks speaks of, ready to be
// written; nil, and damage, if it cannot be.
func (ed *edits) tasksOf(address string, generation int, tasks task.Ranges) *node {
	i, ok := ed.graph.number[address]
	if !ok {
		ed.damage("there is no step %q", address)
		return nil
	}
	n := ed.own(i)
	if generation != n.generation {
		ed.damage("%q is at generation %d, not %d", address, n.generation, generation)
		return nil
	}
	if len(tasks) == 0 || tasks[0].First < 0 || tasks[len(tasks)-1].End() > n.total {
		ed.damage("%q has no tasks %s", address, tasks)
		return nil
	}
	return n
}

// nextRound makes room for another round of a merge, which is no larger than
// the ones before it together, or for another round of a repeated child.
func (ed *edits) nextRound(e TasksScheduled) {
	i, ok := ed.graph.number[e.Address]
	if !ok || len(e.Tasks) == 0 {
		return
	}
	step, isStep := ed.graph.step(i)
	n, end := ed.nodes[i], e.Tasks[len(e.Tasks)-1].End()
	if step.Repeat != nil && n.phase == running && n.generation == e.Generation && end == n.total+1 {
		n = ed.own(i)
		n.total = end
		n.tasks.grow(end)
		return
	}
	if isStep || n.phase != running || n.generation != e.Generation || end <= n.total || end > 2*n.total {
		return
	}
	n = ed.own(i)
	n.levels = append(n.levels, n.total)
	n.total = end
	n.tasks.grow(end)
}

func (ed *edits) startStep(e StepStarted) {
	i, ok := ed.graph.number[e.Address]
	if !ok || e.Tasks < 0 || e.Tasks > task.MaxIndex || ed.nodes[i].phase != waiting {
		ed.damage("a step %q of %d tasks cannot start", e.Address, e.Tasks)
		return
	}
	step, _ := ed.graph.step(i)
	if step.Repeat != nil && e.Tasks != 1 {
		ed.damage("%q begins with %d rounds", e.Address, e.Tasks)
		return
	}
	if step.Each != nil && !step.Each.ByKey {
		if data, _ := ed.Data(step.Each.Data); e.Tasks > data.Count {
			ed.damage("%q cannot have a task for each of %d parts of %s: there are %d", e.Address, e.Tasks, step.Each.Data, data.Count)
			return
		}
	}
	n := ed.own(i)
	n.phase, n.total, n.startedAt, n.generation = running, e.Tasks, e.At, e.Generation
	n.tasks = ledger{}
	n.tasks.grow(e.Tasks)
	if _, isStep := ed.graph.step(i); !isStep {
		n.levels = []int{0}
		ed.own(ed.graph.writer[ed.graph.sealed(i)]).phase = sealing
	}
}

func (ed *edits) schedule(n *node, e TasksScheduled) {
	n.scheduled = max(n.scheduled, e.Tasks[len(e.Tasks)-1].End())
	if e.Attempt > 1 {
		ed.trouble(n, e.Tasks, func(t *trouble) {
			if t.stand == planned {
				n.retrying--
			}
			t.attempt, t.stand = e.Attempt, underWay
		})
	}
}

func (ed *edits) confirm(n *node, e TasksConfirmed) {
	fresh, retrying := n.tasks.close(ed.token, e.Tasks)
	n.confirmed += fresh
	n.retrying -= retrying
	n.elapsed += time.Duration(e.Elapsed)
	if e.Sealed != nil {
		if missing := e.Tasks[0].First + 1 - len(n.merged); missing > 0 {
			n.merged = append(n.merged, make([]task.Dataset, missing)...)
		}
		n.merged[e.Tasks[0].First] = *e.Sealed
		return
	}
	if len(e.Lists) > 0 {
		ed.gatherLists(n, e)
		return
	}
	if len(e.Parts) == 0 && e.Manifest == nil {
		return
	}
	n.gather(task.Source{Report: e.Manifest, Tasks: e.Tasks, Parts: e.Parts})
}

func (ed *edits) trouble(n *node, tasks task.Ranges, change func(*trouble)) {
	for i := range tasks.All() {
		t := n.tasks.trouble(i)
		change(&t)
		n.tasks.setTrouble(ed.token, i, t)
	}
}

func (ed *edits) completeStep(e StepCompleted) {
	i, ok := ed.graph.number[e.Address]
	if !ok {
		ed.damage("there is no step %q", e.Address)
		return
	}
	step, isStep := ed.graph.step(i)
	n := ed.own(i)
	if !isStep || n.phase == completed {
		ed.damage("%q cannot complete", e.Address)
		return
	}
	n.phase, n.endedAt = completed, e.At
	n.sealed = make(map[string]task.Dataset, len(e.Data))
	for _, out := range step.Out {
		d := e.Data[out.Data]
		if d.Manifest == nil && d.Count > 0 {
			d.Parts = n.partsOf(step, out)
		}
		if d.Manifest == nil && d.Count != len(d.Parts) {
			ed.damage("%q says it has %d parts but lists %d", out.Data, d.Count, len(d.Parts))
		}
		n.sealed[out.Data] = d
		seal := ed.own(ed.graph.seal(out.Data))
		seal.phase, seal.merged = completed, nil
	}
	n.last = nil
	if n.skipped == 0 {
		n.gathered = nil // its parts now stand in sealed, or in a manifest
	}
	ed.followed(i)
}

// followed says to whatever waits for a step that it is over.
func (ed *edits) followed(i int) {
	ed.left--
	for _, j := range ed.graph.next[i] {
		ed.own(j).needs--
	}
}
