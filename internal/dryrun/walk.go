package dryrun

import (
	"fmt"
	"slices"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// atOnce is how many tasks are answered together.
const atOnce = 4096

// walk is a plan in the making.
type walk struct {
	stopped  func() error // why nobody waits for the plan any more
	options  Options
	lists    *lists
	recorded *recorded // of the process that is walked
	wrote    int       // parts so far, of all processes
}

// one is a process that is being walked.
type one struct {
	*walk
	state process.State
	plan  *Plan
	steps map[string]*Step
	now   process.StartProcess
}

// process walks a process to its end, and returns the lists of its outputs.
func (w *walk) process(start process.StartProcess) (*Plan, map[string]task.Dataset, error) {
	p := &one{walk: w, plan: &Plan{}, steps: map[string]*Step{}, now: start}
	start.Definition = p.open(start.Definition)
	if err := p.tell(start); err != nil {
		return nil, nil, err
	}
	for !p.state.Ended() {
		effects := process.Resume(p.state)
		if len(effects) == 0 {
			return nil, nil, fmt.Errorf("plan process %q: it has nothing to do, and has not ended", p.state.ID)
		}
		for _, effect := range effects {
			if err := p.perform(effect); err != nil {
				return nil, nil, err
			}
		}
	}
	if p.state.Failure != nil {
		p.plan.Failed = p.state.Failure.String()
	}
	for _, s := range p.state.Steps() {
		p.steps[s.Address].Skipped = s.Unmet != ""
	}
	outputs := map[string]task.Dataset{}
	for _, name := range p.state.Definition.Outputs {
		outputs[name], _ = p.state.Data(name)
	}
	return p.plan, outputs, nil
}

// open leaves open what nobody can tell yet: conditions over values, and how often
// something is repeated.
func (p *one) open(def definition.Definition) definition.Definition {
	def.Steps = slices.Clone(def.Steps)
	def.Deadline, def.Parallelism = 0, 0
	for i := range def.Steps {
		step := &def.Steps[i]
		s := &Step{Address: step.Address}
		step.Parallelism = 0 // the order makes no difference here
		p.plan.Steps, p.steps[step.Address] = append(p.plan.Steps, s), s
		if step.When != nil && looksAtValues(step.When.Expr) {
			s.When, step.When = step.When.Text, nil
		}
		if step.Repeat != nil && step.Repeat.Until != nil {
			repeat := *step.Repeat
			s.Rounds = repeat.Max
			repeat.Until, repeat.Max = nil, 1
			step.Repeat = &repeat
		}
	}
	return def
}

// looksAtValues reports whether an expression looks at what tasks write.
func looksAtValues(e definition.Expr) bool {
	return e.Op == definition.OpName || slices.ContainsFunc(e.Args, looksAtValues)
}

func (p *one) tell(c process.Command) error {
	events, err := process.Decide(p.state, c)
	if err != nil {
		return err
	}
	p.state = process.Fold(p.state, events...)
	return p.state.Damage()
}

func (p *one) perform(effect process.Effect) error {
	if err := p.stopped(); err != nil {
		return err
	}
	switch e := effect.(type) {
	case process.Enqueue:
		for len(e.Tasks) > 0 && !p.state.Ended() {
			some := e
			some.Tasks, e.Tasks = e.Tasks.Take(atOnce)
			if err := p.execute(some); err != nil {
				return err
			}
		}
	case process.StartChildren:
		for i := range e.Tasks.All() {
			if p.state.Ended() {
				return nil
			}
			if err := p.child(e, i, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// execute answers for tasks that workers would execute.
func (p *one) execute(e process.Enqueue) error {
	w, err := process.Message(p.state, e, e.Tasks)
	if err != nil {
		return err
	}
	done := process.ConfirmTasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, At: p.now.At}
	step, isStep := p.state.Step(e.Address)
	switch {
	case w.Seal != nil:
		return p.merge(e, done)
	case isStep && step.Process != nil:
		return p.lookUp(e, w)
	}
	s := p.steps[e.Address]
	s.Tasks += e.Tasks.Len()
	var run, reused []int
	var from []task.Produced
	k := 0
	for i := range e.Tasks.All() {
		read, known := p.reads(w, k, i)
		found, hit := []task.Produced(nil), false
		if step.Cache == definition.CacheUse && p.options.Look != nil && known {
			found, hit = p.options.Look(p.alone(w, k, i))
		}
		switch {
		case hit:
			reused, from = append(reused, i), append(from, found...)
			s.Reused++
		default:
			if !known && step.Cache == definition.CacheUse && p.options.Look != nil {
				s.Maybe++
			}
			run, done.Parts = append(run, i), append(done.Parts, p.produce(step, s, w, k, i, read)...)
			s.Read += read
			s.Took += p.recorded.took(e.Address)
		}
		k++
	}
	if p.wrote += len(done.Parts) + len(from); p.wrote > MaxParts {
		return ErrTooLarge
	}
	if len(reused) > 0 {
		reuse := process.ReuseTasks{
			Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: task.Of(reused...), Parts: from, At: p.now.At,
		}
		if err := p.tell(reuse); err != nil {
			return err
		}
	}
	if len(run) == 0 {
		return nil
	}
	done.Tasks = task.Of(run...)
	return p.tell(done)
}

// merge answers for merges, each alone.
func (p *one) merge(e process.Enqueue, done process.ConfirmTasks) error {
	for i := range e.Tasks.All() {
		w, err := process.Message(p.state, e, task.Span(i, 1))
		if err != nil {
			return err
		}
		data := p.lists.merge(*w.Seal)
		done.Tasks, done.Sealed = task.Span(i, 1), &data
		if s := p.steps[p.writer(w.Seal.Data)]; s != nil {
			s.Merges++
		}
		if err := p.tell(done); err != nil {
			return err
		}
	}
	return nil
}

// writer is the address of the step that writes a name.
func (p *one) writer(name string) string {
	for _, step := range p.state.Definition.Steps {
		if slices.ContainsFunc(step.Out, func(out definition.Output) bool { return out.Data == name }) {
			return step.Address
		}
	}
	return ""
}

// lookUp answers for what children read of long lists, and walks them.
func (p *one) lookUp(e process.Enqueue, w task.Work) error {
	k := 0
	for i := range e.Tasks.All() {
		looked := map[string]task.Dataset{}
		for _, in := range w.Inputs {
			looked[in.Local] = p.lists.of(p.lists.read(in, k, i))
		}
		if err := p.child(process.StartChildren(e), i, looked); err != nil {
			return err
		}
		k++
	}
	return nil
}

// child walks the child of a task.
func (p *one) child(e process.StartChildren, i int, looked map[string]task.Dataset) error {
	start, err := process.Child(p.state, e, i, looked, p.now.At)
	if err != nil {
		return err
	}
	below := *p.walk
	if below.recorded, err = p.recorded.below(e.Address); err != nil {
		return err
	}
	plan, outputs, err := below.process(start)
	if err != nil {
		return fmt.Errorf("%s[%d]: %w", e.Address, i, err)
	}
	p.wrote = below.wrote
	s := p.steps[e.Address]
	s.Tasks++
	s.gather(plan)
	if plan.Failed != "" {
		return p.tell(process.FailTasks{
			Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: task.Span(i, 1), Verdict: task.Permanent, Error: plan.Failed, At: p.now.At,
		})
	}
	return p.tell(process.ConfirmTasks{
		Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: task.Span(i, 1), Lists: outputs, At: p.now.At,
	})
}

// gather adds the plan of a child to those of the others.
func (s *Step) gather(child *Plan) {
	if s.Child == nil {
		s.Child = child
		return
	}
	for i, theirs := range child.Steps {
		ours := s.Child.Steps[i]
		ours.add(theirs)
		ours.Skipped = ours.Skipped && theirs.Skipped
		if theirs.Child != nil {
			ours.gather(theirs.Child)
		}
	}
	if s.Child.Failed == "" {
		s.Child.Failed = child.Failed
	}
}
