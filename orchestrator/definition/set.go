package definition

import (
	"errors"
	"slices"
	"strings"
)

// Set is the definition with one setting changed, for a process that runs:
// "count.timeout" of a step, "clean.retry.attempts" of all steps inside a group,
// whatever they said themselves, or "deadline" of the process. It takes the
// settings that [Resolve] takes, and refuses them in the same words; none lifts a
// timeout, a parallelism, a pool, needs, a rate, limits, and the limits of the
// process. Of children it changes those that begin later. The given definition
// stays as it is.
func Set(d Definition, setting, value string) (Definition, error) {
	set, faults := addressesOf(d).read(setting, value)
	if len(faults) > 0 {
		reasons := make([]error, len(faults))
		for i, f := range faults {
			reasons[i] = errors.New(f.String())
		}
		return Definition{}, errors.Join(reasons...)
	}
	if set.address == "" {
		set.whole.apply(&d)
		d.Steps = within(d.Steps, func(Step) bool { return true }, Settings{Cache: set.whole.Cache})
		return d, nil
	}
	return at(d, set.address, set.settings)
}

// at changes a step, the steps of a group, or what is inside of a child.
func at(d Definition, address string, s Settings) (Definition, error) {
	for i, step := range d.Steps {
		inner, ok := strings.CutPrefix(address, step.Address+"/")
		if step.Process == nil || !ok {
			continue
		}
		child, err := at(*step.Process, inner, s)
		if err != nil {
			return Definition{}, err
		}
		d.Steps = slices.Clone(d.Steps)
		d.Steps[i].Process = &child
		return d, nil
	}
	if i := slices.IndexFunc(d.Steps, func(step Step) bool { return step.Address == address }); i >= 0 {
		if s.Limits != nil && d.Steps[i].Run.Handler != "" {
			return Definition{}, errors.New(address + ": limits are of programs, and this step runs a handler; what a handler may use is up to its worker")
		}
		d.Steps = slices.Clone(d.Steps)
		d.Steps[i] = s.step(d.Steps[i], s.into())
		return d, nil
	}
	d.Steps = within(d.Steps, func(step Step) bool { return strings.HasPrefix(step.Address, address+"/") }, s)
	return d, nil
}

// step changes one step: of a child that as a whole, and what is inside by inner.
func (s Settings) step(step Step, inner Settings) Step {
	if step.Process == nil {
		s.apply(&step)
		return step
	}
	s.ofChild().apply(&step)
	return inside(step, inner)
}

// within changes the steps that are meant, and all inside of those that are
// children: there it is what groups say, which is not about a child as a whole.
func within(steps []Step, meant func(Step) bool, s Settings) []Step {
	steps = slices.Clone(steps)
	for i, step := range steps {
		switch {
		case !meant(step):
		case step.Process == nil:
			s.apply(&steps[i])
		default:
			steps[i] = inside(step, s)
		}
	}
	return steps
}

func inside(step Step, s Settings) Step {
	put(&step.Pool, s.Pool)
	child := *step.Process
	child.Steps = within(child.Steps, func(Step) bool { return true }, s)
	step.Process = &child
	return step
}

// addressesOf finds the groups again that the addresses of steps go through,
// those of children behind the step that they are children of.
func addressesOf(d Definition) addressBook {
	groups := map[string]bool{} // false: a step
	var addresses []string
	add := func(address string, group bool) {
		if _, known := groups[address]; !known {
			groups[address] = group
			addresses = append(addresses, address)
		}
	}
	var visit func(d Definition, above string)
	visit = func(d Definition, above string) {
		for _, s := range d.Steps {
			for i := range s.Address {
				if s.Address[i] == '/' {
					add(above+s.Address[:i], true)
				}
			}
			add(above+s.Address, false)
			if s.Process != nil {
				visit(*s.Process, above+s.Address+"/")
			}
		}
	}
	visit(d, "")
	return addressBook{addresses: addresses, spell: &Speller{}, find: func(address string) (group, ok bool) {
		group, ok = groups[address]
		return group, ok
	}}
}
