package process

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// checkParent refuses the start of a child that its parent cannot have meant.
func checkParent(c StartProcess) error {
	p := c.Parent
	if p == nil {
		return nil
	}
	if err := errors.Join(CheckID(p.Process), CheckID(p.Root)); err != nil {
		return fmt.Errorf("it is said to be the child of %q: %w", clip(p.Process, 100), err)
	}
	if p.Index < 0 || p.Generation < 0 || p.Attempt < 1 || c.ID != ChildID(*p) {
		return fmt.Errorf("it is not the child of %s", clip(p.String(), 200))
	}
	return nil
}

// checkLists refuses what no child of the step can have written.
func (d *decision) checkLists(step definition.Step, fresh task.Ranges, c ConfirmTasks) error {
	if len(c.Parts) > 0 || c.Manifest != nil || c.Sealed != nil || c.Tasks.Len() != 1 {
		return fmt.Errorf("a result of %s must be that of one child", step.Address)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Lists)) {
		data := c.Lists[name]
		if !slices.Contains(step.Process.Outputs, name) {
			return fmt.Errorf("the child of %s[%d] handed up %q, which is not among its outputs", step.Address, fresh[0].First, name)
		}
		if !addsUp(data) {
			return fmt.Errorf("the child of %s[%d] handed up %q as %d parts, but lists %d", step.Address, fresh[0].First, name, data.Count, len(data.Parts))
		}
	}
	for _, out := range step.Out {
		if out.JSON == "" {
			continue
		}
		data := c.Lists[out.Local]
		if data.Manifest != nil {
			return fmt.Errorf("the child of %s[%d] handed up %q as a long list, and it is to be a small value", step.Address, fresh[0].First, out.Local)
		}
		for _, p := range data.Parts {
			if err := checkValue(out.JSON, p); err != nil {
				return fmt.Errorf("the child of %s[%d] handed up %q, %w", step.Address, fresh[0].First, out.Local, err)
			}
		}
	}
	return nil
}

// repeat goes on with a step that repeats its child: after each round it either
// is over, or there is another one.
func (d *decision) repeat(i int) {
	n := d.nodes[i]
	step, _ := d.graph.step(i)
	rounds := n.closed()
	switch {
	case n.scheduled > rounds:
		return
	case n.over:
		d.finish(i)
		return
	case rounds == 0:
		d.schedule(i, 0, 1)
		return
	}
	met := false
	if until := step.Repeat.Until; until != nil {
		var err error
		met, err = until.Holds(roundValues{n.last, rounds, d.Definition.Params})
		if err != nil {
			d.fail(i, rounds-1, try{}, fmt.Sprintf("whether it was the last round cannot be told: %v", err))
			return
		}
	}
	switch {
	case met:
		d.endRepeat(i, rounds, clip(step.Repeat.Until.Text, task.MaxError))
	case rounds < step.Repeat.Max:
		d.schedule(i, rounds, 1)
	case step.Repeat.Until == nil:
		d.endRepeat(i, rounds, "")
	default:
		d.fail(i, rounds-1, try{}, fmt.Sprintf("its %s are over, and it does not hold that %s: raise max, or see why it does not get there",
			amount.Of(rounds, "round"), step.Repeat.Until.Text))
	}
}

func (d *decision) endRepeat(i, rounds int, until string) {
	d.emit(RepeatEnded{Address: d.graph.address(i), Generation: d.nodes[i].generation, Rounds: rounds, Until: until, At: d.at})
	d.finish(i)
}

// checkChild refuses a step whose child could not be started, or could not hand
// up what the step writes.
func checkChild(s definition.Step, depth int) error {
	if s.Process == nil {
		if s.Repeat != nil {
			return fmt.Errorf("step %q repeats, but has no child", s.Address)
		}
		return nil
	}
	if s.Run.Handler != "" || len(s.Run.Command) > 0 || s.Run.Shell != "" {
		return fmt.Errorf("step %q has a child, and something to run", s.Address)
	}
	if _, err := graphOf(s.Process, depth+1); err != nil {
		return fmt.Errorf("the child of step %q: %w", s.Address, err)
	}
	given := map[string]bool{}
	if s.Each != nil {
		for _, b := range joined(*s.Each) {
			given[b.Local] = true
		}
	}
	for _, b := range s.In {
		given[b.Local] = true
	}
	for _, out := range s.Out {
		if !slices.Contains(s.Process.Outputs, out.Local) {
			return fmt.Errorf("the child of step %q hands up no %q", s.Address, out.Local)
		}
	}
	if r := s.Repeat; r != nil {
		if s.Each != nil || r.Max < 1 || r.Max > definition.MaxRounds {
			return fmt.Errorf("step %q repeats: that takes no each, and a max from 1 to %d", s.Address, definition.MaxRounds)
		}
		if s.Tolerate != (definition.Tolerance{}) {
			return fmt.Errorf("step %q repeats, and tolerates failures: each round follows from the one before, so none can be skipped", s.Address)
		}
		for local, out := range r.Carry {
			given[local] = true
			if !slices.Contains(s.Process.Outputs, out) {
				return fmt.Errorf("step %q carries %q, which its child does not hand up", s.Address, out)
			}
		}
	}
	for _, name := range s.Process.Inputs {
		if !given[name] {
			return fmt.Errorf("the child of step %q is not given its input %q", s.Address, name)
		}
		delete(given, name)
	}
	for name := range given {
		return fmt.Errorf("the child of step %q has no input %q", s.Address, name)
	}
	return nil
}
