package process

import (
	"errors"
	"fmt"
	"slices"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// confirmTasks counts each task once, whoever did it first and at whatever
// attempt; then the graph moves on as far as it can.
func (d *decision) confirmTasks(c ConfirmTasks) error {
	i, fresh, err := d.alive(c.Address, c.Generation, c.Tasks)
	if err != nil || len(fresh) == 0 {
		return err
	}
	if err := d.checkOutputs(i, fresh, c); err != nil { // a worker of another version: it would say the same again
		return d.failTasks(FailTasks{
			Address: c.Address, Generation: c.Generation, Attempt: c.Attempt, Tasks: fresh,
			Error: err.Error(), Verdict: task.Permanent, Worker: c.Worker, At: c.At,
		})
	}
	e := TasksConfirmed{
		Address: c.Address, Generation: c.Generation, Attempt: c.Attempt, Tasks: fresh,
		Manifest: c.Manifest, Sealed: c.Sealed, Lists: c.Lists, Worker: c.Worker, Elapsed: c.Elapsed, At: c.At,
		Parts: speaking(fresh, c.Parts),
	}
	d.emit(e)
	d.advance(i)
	return nil
}

// speaking keeps those parts that some of the tasks wrote.
func speaking(tasks task.Ranges, parts []task.Produced) []task.Produced {
	var kept []task.Produced
	for _, p := range parts {
		if tasks.Contains(p.Index) {
			kept = append(kept, p)
		}
	}
	return kept
}

// reuseTasks takes results of equal tasks for those that are still open.
func (d *decision) reuseTasks(c ReuseTasks) error {
	i, fresh, err := d.alive(c.Address, c.Generation, c.Tasks)
	if err != nil || len(fresh) == 0 {
		return err
	}
	step, isStep := d.graph.step(i)
	if !isStep || step.Process != nil {
		return d.refuse("%s is nothing whose results can be reused", c.Address)
	}
	parts := speaking(fresh, c.Parts)
	if err := errors.Join(checkReport(step, c.Manifest), d.checkParts(i, parts)); err != nil { // what was stored is of no use: the task is executed
		return d.refuse("%v", err)
	}
	e := TasksReused{Address: c.Address, Generation: c.Generation, Attempt: c.Attempt, Tasks: fresh, Parts: parts, Manifest: c.Manifest, At: c.At}
	for _, o := range c.Origins {
		if fresh.Contains(o.Index) {
			e.Origins = append(e.Origins, o)
		}
	}
	d.emit(e)
	d.advance(i)
	return nil
}

func (d *decision) checkOutputs(i int, fresh task.Ranges, c ConfirmTasks) error {
	step, isStep := d.graph.step(i)
	if isStep && step.Process != nil {
		return d.checkLists(step, fresh, c)
	}
	if len(c.Lists) > 0 {
		return fmt.Errorf("%s has no children, but its result carries what a child wrote", c.Address)
	}
	if !isStep {
		if c.Sealed == nil || c.Tasks.Len() != 1 {
			return fmt.Errorf("a result of %s must carry one merged list", c.Address)
		}
		if !addsUp(*c.Sealed) {
			return fmt.Errorf("the merged list of %s says it has %d parts under %d keys, but lists %d",
				c.Address, c.Sealed.Count, c.Sealed.Keys, len(c.Sealed.Parts))
		}
		return nil
	}
	if c.Sealed != nil {
		return fmt.Errorf("%s is no merge, but its result carries a merged list", c.Address)
	}
	if err := checkReport(step, c.Manifest); err != nil {
		return err
	}
	return d.checkParts(i, c.Parts)
}

// checkReport refuses a stored list of what tasks wrote if all that they write
// are small values, which nobody would read there.
func checkReport(step definition.Step, report *task.Ref) error {
	if report == nil || len(step.Out) == 0 || slices.ContainsFunc(step.Out, func(out definition.Output) bool { return out.JSON == "" }) {
		return nil
	}
	return fmt.Errorf("%s writes small values (json:), and the worker stored them instead of reporting them; its version may not know them", step.Address)
}

func (d *decision) checkParts(i int, parts []task.Produced) error {
	step, _ := d.graph.step(i)
	type written struct {
		index int
		name  string
	}
	var values map[written]bool
	for _, p := range parts {
		at := slices.IndexFunc(step.Out, func(b definition.Output) bool { return b.Data == p.Data })
		if at < 0 {
			return fmt.Errorf("%s[%d] wrote %q, which is not among its outputs", step.Address, p.Index, p.Data)
		}
		if p.Ref != nil {
			if err := p.Ref.Check(); err != nil {
				return fmt.Errorf("%s[%d] wrote to %q: %w", step.Address, p.Index, p.Data, err)
			}
		}
		typ := step.Out[at].JSON
		if typ == "" {
			continue
		}
		if err := checkValue(typ, p.Part); err != nil {
			return fmt.Errorf("%s[%d] wrote to %q, %w", step.Address, p.Index, p.Data, err)
		}
		if values == nil {
			values = map[written]bool{}
		}
		wrote := written{p.Index, p.Data}
		if values[wrote] {
			return fmt.Errorf("%s[%d] wrote to %q more than one value", step.Address, p.Index, p.Data)
		}
		values[wrote] = true
	}
	return nil
}

// addsUp reports whether a dataset lists as many parts as it says it has. One
// that does not must not get into a history: it would damage it.
func addsUp(d task.Dataset) bool {
	return d.Keys >= 0 && d.Count >= d.Keys && (d.Manifest != nil || d.Count == len(d.Parts))
}
