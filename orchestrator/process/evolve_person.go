package process

import (
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
)

// commandsKept is how many IDs of persons' commands are remembered: people
// repeat a command at once or not at all.
const commandsKept = 64

// byPerson records what a person asked for and got; false: the event is not of
// that kind.
func (ed *edits) byPerson(e Event) bool {
	if a, ok := AskedIn(e); ok {
		ed.remember(a)
	}
	switch e := e.(type) {
	case ProcessCancelled:
		ed.Status, ed.EndedAt, ed.Cancel, ed.Pause = Cancelled, e.At, &e, nil
	case ProcessPaused:
		ed.Status, ed.Pause = Paused, &e
	case ProcessResumed:
		ed.Status, ed.Pause = Running, nil
	case ProcessRetried:
		ed.setOff(e.At)
		ed.begin(e.Steps)
		ed.reopenAll(e.Tasks, e.At)
	case ProcessRestarted:
		ed.setOff(e.At)
		ed.begin(e.Steps)
		ed.reopenAll(e.Tasks, e.At)
	case ProcessRevised:
		ed.revise(e)
	default:
		return false
	}
	return true
}

func (ed *edits) remember(a Asked) {
	if a.Command == "" {
		return
	}
	ed.commands = append(slices.Clip(ed.commands), a.Command)
	if len(ed.commands) > commandsKept {
		ed.commands = ed.commands[1:]
	}
}

// setOff makes an ended process run again. A paused one stays paused.
func (ed *edits) setOff(at time.Time) {
	ed.SetOffAt = at
	if ed.Ended() {
		ed.Status, ed.EndedAt, ed.Failure, ed.Cancel = Running, time.Time{}, nil, nil
	}
}

// begin makes steps begin anew.
func (ed *edits) begin(steps []Begun) {
	for _, b := range steps {
		i, ok := ed.graph.number[b.Address]
		step, isStep := definition.Step{}, false
		if ok {
			step, isStep = ed.graph.step(i)
		}
		if !isStep || b.Generation <= ed.nodes[i].generation {
			ed.damage("%q cannot begin anew as generation %d", b.Address, b.Generation)
			return
		}
		if b.Keep {
			n := ed.own(i)
			n.generation, n.phase, n.sealed, n.endedAt = b.Generation, running, nil, time.Time{}
		} else {
			ed.nodes[i] = &node{owner: ed.token, generation: b.Generation}
		}
		for _, out := range step.Out {
			seal := ed.graph.seal(out.Data)
			ed.nodes[seal] = &node{owner: ed.token, generation: ed.nodes[seal].generation + 1}
		}
	}
	ed.recount()
}

// recount derives what steps wait for from which of them have completed.
func (ed *edits) recount() {
	needs := slices.Clone(ed.graph.needs)
	ed.left = 0
	for i := range ed.graph.def.Steps {
		if ed.nodes[i].phase != completed {
			ed.left++
			continue
		}
		for _, j := range ed.graph.next[i] {
			needs[j]--
		}
	}
	for i, n := range needs {
		if ed.nodes[i].needs != n {
			ed.own(i).needs = n
		}
	}
}

// reopenAll gives tasks a fresh budget: they are planned for now.
func (ed *edits) reopenAll(tasks []Reopened, at time.Time) {
	for _, r := range tasks {
		ed.reopen(r, at)
	}
}

func (ed *edits) reopen(r Reopened, at time.Time) {
	n := ed.tasksOf(r.Address, r.Generation, r.Tasks)
	if n == nil {
		return
	}
	ed.trouble(n, r.Tasks, func(t *trouble) {
		switch t.stand {
		case planned:
			n.retrying--
		case skipped:
			n.skipped--
			t.attempt++
		case underWay, broken:
			t.attempt++
		}
		n.retrying++
		*t = trouble{attempt: t.attempt, stand: planned, due: at.UnixNano()}
	})
	for i := range r.Tasks.All() {
		n.tasks.reopen(ed.token, i)
	}
	var still []Skip
	for _, s := range n.skips {
		if s.Tasks = s.Tasks.Minus(r.Tasks); len(s.Tasks) > 0 {
			still = append(still, s)
		}
	}
	n.skips = still
}

// revise puts another definition in place. Steps that are in both keep what
// they have, unless they begin anew; of those that are gone only the generation
// is remembered, so that no task is ever called like another.
func (ed *edits) revise(e ProcessRevised) {
	g, err := newGraph(&e.Definition)
	if err != nil {
		ed.damage("%v", err)
		return
	}
	before := make(map[string]*node, len(ed.nodes))
	for address, i := range ed.graph.number {
		before[address] = ed.nodes[i]
	}
	nodes := make([]*node, len(e.Definition.Steps)+len(g.seals))
	retired := maps.Clone(ed.retired)
	for address, i := range g.number {
		if n := before[address]; n != nil && ed.graph.writerOf(address) == g.writerOf(address) {
			nodes[i] = n
			delete(before, address)
			continue
		}
		nodes[i] = &node{owner: ed.token, generation: retired[address]}
		if n := before[address]; n != nil { // the merge of a name that another step writes now
			nodes[i].generation = n.generation + 1
			delete(before, address)
		}
		delete(retired, address)
	}
	for address, n := range before {
		if retired == nil {
			retired = map[string]int{}
		}
		retired[address] = n.generation + 1
	}
	ed.Definition, ed.Hash, ed.graph, ed.nodes, ed.retired = &e.Definition, e.Hash, g, nodes, retired
	ed.begin(e.Steps)
}

// skip records that a step goes on without tasks.
func (ed *edits) skip(n *node, e TasksSkipped) {
	fresh, retrying := n.tasks.close(ed.token, e.Tasks)
	n.skipped += fresh
	n.retrying -= retrying
	ed.trouble(n, e.Tasks, func(t *trouble) { t.stand = skipped })
	if len(n.skips) < skipReasons {
		n.skips = append(slices.Clip(n.skips), Skip{Tasks: e.Tasks, Element: e.Element, Reason: e.Reason})
	}
}
