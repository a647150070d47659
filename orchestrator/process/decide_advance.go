package process

import (
	"fmt"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// advance goes on with node i as far as it can: it starts a step that waits
// for nothing any more, schedules what its parallelism leaves room for (unless
// the process has one: see shareRoom), and ends what has no open tasks. It may be called at any time; nothing happens twice,
// and nothing while the process does not run, or after an event that makes no
// sense: the same would be decided again and again.
func (d *decision) advance(i int) {
	if d.damaged != nil {
		return
	}
	if d.Status != Running && !planted.Is(planted.SendingWhilePaused) {
		return
	}
	switch n := d.nodes[i]; n.phase {
	case waiting:
		if _, isStep := d.graph.step(i); isStep && n.needs == 0 {
			d.startStep(i)
		}
	case running:
		step, isStep := d.graph.step(i)
		if step.Repeat != nil {
			d.repeat(i)
			return
		}
		if room := d.wants(i); room > 0 && !(isStep && d.Definition.Parallelism > 0) {
			d.schedule(i, n.scheduled, room)
		}
		switch n = d.nodes[i]; {
		case n.closed() < n.total:
		case isStep:
			d.finish(i)
		default:
			d.mergeOn(i)
		}
	}
}

// advanceAll goes on wherever it can.
func (d *decision) advanceAll() {
	for i := range d.nodes {
		d.advance(i)
	}
	d.end() // a revision may have taken out all that was left
}

// end completes the process when every step has.
func (d *decision) end() {
	if d.left == 0 && d.Status == Running {
		d.emit(ProcessCompleted{At: d.at})
	}
}

func (d *decision) schedule(i, first, count int) {
	d.emit(TasksScheduled{
		Address: d.graph.address(i), Generation: d.nodes[i].generation, Attempt: 1,
		Tasks: task.Span(first, count), At: d.at,
	})
}

// startStep runs when all that a step reads is sealed.
func (d *decision) startStep(i int) {
	step, _ := d.graph.step(i)
	if step.When != nil {
		holds, err := step.When.Holds(values{d.State})
		switch {
		case err != nil:
			d.fail(i, -1, try{}, fmt.Sprintf("when it runs cannot be told: %v", err))
			return
		case !holds:
			d.emit(StepSkipped{Address: step.Address, Generation: d.nodes[i].generation, When: clip(step.When.Text, task.MaxError), At: d.at})
			d.follow(i)
			return
		}
	}
	total, tooMany := d.countTasks(step)
	if tooMany != "" {
		d.fail(i, -1, try{}, tooMany)
		return
	}
	d.emit(StepStarted{Address: step.Address, Generation: d.nodes[i].generation, Tasks: total, At: d.at})
	d.advance(i)
}

// countTasks is how many tasks the step fans out into; reason says why it cannot.
func (d *decision) countTasks(step definition.Step) (n int, reason string) {
	if step.Each == nil {
		return 1, ""
	}
	data, _ := d.Data(step.Each.Data)
	switch {
	case len(step.Each.With) > 0:
		if n, reason = d.countJoined(step); reason != "" {
			return 0, reason
		}
	case !step.Each.ByKey:
		n = data.Count
	case step.Each.Into > 0 && data.Count > 0:
		n = step.Each.Into
	case step.Each.Into == 0:
		n = data.Keys
		if n > maxKeys {
			return 0, fmt.Sprintf("%s has %d distinct keys, and `each: %s by key` takes at most %d; write `by key into N` to share them among N tasks",
				step.Each.Data, n, step.Each.Data, maxKeys)
		}
	}
	if n > MaxTasks {
		return 0, fmt.Sprintf("%d tasks are more than a step may have (%d)", n, MaxTasks)
	}
	return n, ""
}

// finish runs when no task of a step is open any more: it seals what the step
// wrote, by merges where the lists are large.
func (d *decision) finish(i int) {
	step, _ := d.graph.step(i)
	merging := false
	for _, out := range step.Out {
		if out.JSON != "" {
			if size := d.nodes[i].inlineBytes(out.Data); size > maxInline {
				d.fail(i, -1, try{}, fmt.Sprintf("the values of %s take %d bytes together, and small values may take %d: let fewer tasks write them, or leave out json:",
					out.Data, size, maxInline))
				return
			}
			continue
		}
		if !step.Gathers(out) || !d.mustMerge(i, out.Data) {
			continue
		}
		merging = true
		seal := d.graph.seal(out.Data)
		total := len(batches(d.nodes[i].sources()))
		d.emit(StepStarted{Address: SealPrefix + out.Data, Generation: d.nodes[seal].generation, Tasks: total, At: d.at})
		d.advance(seal)
	}
	if !merging {
		d.complete(i)
	}
}

// mergeOn runs when a round of merges is over: another round merges its
// results, until there is one.
func (d *decision) mergeOn(i int) {
	n := d.nodes[i]
	round := n.total - n.levels[len(n.levels)-1]
	if round > 1 {
		d.schedule(i, n.total, (round+mergeWidth-1)/mergeWidth)
		return
	}
	writer := d.graph.writer[d.graph.sealed(i)]
	step, _ := d.graph.step(writer)
	for _, out := range step.Out {
		seal := d.nodes[d.graph.seal(out.Data)]
		if seal.phase == running && !seal.mergedAll() {
			return
		}
	}
	d.complete(writer)
}

// mergedAll reports whether the last round of a merge is over.
func (n *node) mergedAll() bool {
	return n.confirmed == n.total && n.total-n.levels[len(n.levels)-1] == 1
}

// complete seals the names of a step and starts what waited for it.
func (d *decision) complete(i int) {
	step, _ := d.graph.step(i)
	data := make(map[string]task.Dataset, len(step.Out))
	for _, out := range step.Out {
		seal := d.nodes[d.graph.seal(out.Data)]
		if seal.phase == running {
			data[out.Data] = seal.merged[seal.total-1]
			continue
		}
		if !step.Gathers(out) {
			last := d.nodes[i].last[out.Local]
			if last.Manifest == nil {
				last.Parts = nil // the confirmation of the last round holds them
			}
			data[out.Data] = last
			continue
		}
		summary := task.Inline(d.nodes[i].inlineParts(out.Data))
		summary.Parts = nil // the confirmations hold them
		data[out.Data] = summary
	}
	d.emit(StepCompleted{Address: step.Address, Generation: d.nodes[i].generation, Data: data, At: d.at})
	d.follow(i)
}

// follow starts what waited for a step.
func (d *decision) follow(i int) {
	for _, j := range d.graph.next[i] {
		d.advance(j)
	}
	d.end()
}
