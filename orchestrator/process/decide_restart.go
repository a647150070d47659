package process

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/task"
)

// restart runs the steps at an address again, and what follows from them.
func (d *decision) restart(c RestartFrom) error {
	from, err := d.stepsAt(c.Address)
	if err != nil {
		return err
	}
	steps := d.downstream(from)
	started := false
	for _, i := range from {
		steps[i] = true
		started = started || d.nodes[i].phase != waiting
	}
	if !started {
		return d.refuse("%s has not started yet: there is nothing to restart", c.Address)
	}
	d.emit(ProcessRestarted{
		From: c.Address, Steps: d.beginAnew(steps), Tasks: d.stuck(func(i int) bool { return steps[d.writes(i)] }), Asked: c.Asked, At: c.At,
	})
	d.goOn()
	return nil
}

// writes is the step that a node belongs to: itself, or the one whose lists it merges.
func (d *decision) writes(i int) int {
	if _, isStep := d.graph.step(i); isStep {
		return i
	}
	return d.graph.writer[d.graph.sealed(i)]
}

// stuck lists the tasks that failed for good in an ended process, and that
// nothing would ever run again, except those of some nodes.
func (d *decision) stuck(except func(i int) bool) []Reopened {
	if !d.Ended() {
		return nil
	}
	var all []Reopened
	for i := range d.nodes {
		if !except(i) {
			all = d.appendReopened(all, i, d.standing(i, broken))
		}
	}
	return all
}

// standing lists the tasks of a node that stand so.
func (d *decision) standing(i int, stands ...stand) task.Ranges {
	var found []int
	n := d.nodes[i]
	if _, isStep := d.graph.step(i); n.phase == waiting || !isStep && n.phase == completed {
		return nil
	}
	for index, t := range n.tasks.troubled() {
		if slices.Contains(stands, t.stand) {
			found = append(found, index)
		}
	}
	return task.Of(found...)
}

func (d *decision) appendReopened(all []Reopened, i int, tasks task.Ranges) []Reopened {
	if len(tasks) == 0 {
		return all
	}
	return append(all, Reopened{Address: d.graph.address(i), Generation: d.nodes[i].generation, Tasks: tasks})
}

// goOn follows from a process that a person made go (again): what was given a
// fresh budget is scheduled, and whatever can advance does. In a pause it waits
// for its end.
func (d *decision) goOn() {
	if d.Status != Running {
		return
	}
	for i, n := range d.nodes {
		if n.retrying == 0 {
			continue
		}
		due := map[int][]int{} // by attempt
		for index, t := range n.tasks.troubled() {
			if t.stand == planned && t.due <= d.at.UnixNano() {
				due[t.attempt] = append(due[t.attempt], index)
			}
		}
		for _, attempt := range slices.Sorted(maps.Keys(due)) {
			d.reschedule(d.graph.address(i), n.generation, attempt, task.Of(due[attempt]...))
		}
	}
	d.advanceAll()
}

// retry gives what failed, or was skipped, a fresh budget.
func (d *decision) retry(c RetryTasks) error {
	if c.Address == "" && len(c.Tasks) > 0 {
		return d.refuse("the tasks %s need the address of their step", c.Tasks)
	}
	chosen, err := d.chooseRetried(c)
	if err != nil {
		return err
	}
	// A step that has gone on without tasks goes back for them, and whatever
	// read what it had written begins anew.
	var back []int
	for i, tasks := range chosen {
		if d.nodes[i].phase != running && len(tasks) > 0 {
			back = append(back, i)
		}
	}
	slices.Sort(back)
	anew := d.downstream(back)
	e := ProcessRetried{Asked: c.Asked, At: c.At}
	generations := map[int]int{}
	e.Steps = d.beginAnew(anew)
	for _, i := range back {
		if !anew[i] {
			generations[i] = d.nodes[i].generation + 1
			e.Steps = append(e.Steps, Begun{Address: d.graph.address(i), Generation: generations[i], Keep: true})
		}
	}
	for i, n := range d.nodes {
		writer := d.writes(i)
		if anew[writer] || writer != i && slices.Contains(back, writer) || len(chosen[i]) == 0 { // what begins anew has a fresh budget
			continue
		}
		e.Tasks = append(e.Tasks, Reopened{
			Address: d.graph.address(i), Generation: cmp.Or(generations[i], n.generation), Tasks: chosen[i],
		})
	}
	if len(e.Tasks) == 0 && len(e.Steps) == 0 && (c.Address != "" || !d.Ended() || d.Status == Completed) {
		return d.refuse("nothing has failed%s: there is nothing to retry%s", at(c.Address), d.goneOnWithout())
	}
	d.emit(e)
	d.goOn()
	return nil
}

// goneOnWithout tells of the tasks that completed steps had skipped.
func (d *decision) goneOnWithout() string {
	for i, step := range d.Definition.Steps {
		if n := d.nodes[i]; n.skipped > 0 {
			return fmt.Sprintf("; %s of %s had been skipped: retry %s to go back for them", amount.Of(n.skipped, "task"), step.Address, step.Address)
		}
	}
	return ""
}

func at(address string) string {
	if address == "" {
		return ""
	}
	return " in " + address
}

// chooseRetried finds, by node, the tasks that a retry is about, and in an
// ended process all that nothing else would run again.
func (d *decision) chooseRetried(c RetryTasks) (map[int]task.Ranges, error) {
	chosen := map[int]task.Ranges{}
	if d.Ended() || c.Address == "" {
		for i := range d.nodes {
			chosen[i] = d.standing(i, broken)
		}
	}
	if c.Address == "" {
		for i, n := range d.nodes {
			chosen[i] = chosen[i].Union(d.standing(i, planned))
			if n.phase == running { // to go back further has to be asked for: what follows would begin anew
				chosen[i] = chosen[i].Union(d.standing(i, skipped))
			}
		}
		return chosen, nil
	}
	at, err := d.stepsAt(c.Address)
	if err != nil {
		return nil, err
	}
	if len(c.Tasks) == 0 {
		for _, i := range at {
			chosen[i] = chosen[i].Union(d.standing(i, broken, skipped, planned))
		}
		return chosen, nil
	}
	if len(at) > 1 || d.graph.address(at[0]) != c.Address {
		return nil, d.refuse("%s is a group; name a step to retry single tasks", c.Address)
	}
	if err := d.checkRetried(at[0], c.Tasks); err != nil {
		return nil, err
	}
	chosen[at[0]] = chosen[at[0]].Union(c.Tasks)
	return chosen, nil
}

// checkRetried refuses tasks that have not failed.
func (d *decision) checkRetried(i int, tasks task.Ranges) error {
	n, address := d.nodes[i], d.graph.address(i)
	switch {
	case n.phase == waiting:
		return d.refuse("%s has not started yet", address)
	case tasks[len(tasks)-1].End() > n.total:
		return d.refuse("%s has %s, numbered from 0", address, amount.Of(n.total, "task"))
	case tasks[len(tasks)-1].End() > n.scheduled:
		return d.refuse("%s: only its first %s have been scheduled so far", address, amount.Of(n.scheduled, "task"))
	}
	failed := d.standing(i, broken, skipped, planned)
	rest := tasks.Minus(failed)
	if len(rest) == 0 {
		return nil
	}
	switch open := n.tasks.open(rest); {
	case len(open) > 0 && d.Ended():
		return d.refuse("%s had not failed when it ended; retry without naming tasks, and whatever was under way goes on", subject(address, open))
	case len(open) > 0:
		return d.refuse("%s is under way, at attempt %d", subject(address, open), n.tasks.trouble(open[0].First).attempt)
	}
	return d.refuse("%s is done; to run its step again, restart the process from %s", subject(address, rest), address)
}
