package process

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed/internal/planted"
)

// byRequest decides on what persons ask for. A command that was granted under
// the same ID before changes nothing.
func (d *decision) byRequest(c Command) error {
	if a, _ := askedIn(c); a.Command != "" && slices.Contains(d.commands, a.Command) && !planted.Is(planted.ForgottenCommand) {
		return nil
	}
	switch c := c.(type) {
	case CancelProcess:
		return d.cancel(c)
	case PauseProcess:
		return d.pause(c)
	case ResumeProcess:
		return d.resume(c)
	case RetryTasks:
		return d.retry(c)
	case RestartFrom:
		return d.restart(c)
	case ReviseProcess:
		return d.revise(c)
	}
	return fmt.Errorf("process %q: this version does not know commands of type %T", d.ID, c)
}

func (d *decision) cancel(c CancelProcess) error {
	switch {
	case d.Status == Cancelled:
		return nil
	case d.Ended():
		return d.refuse("it has %s already: there is nothing to cancel", d.Status)
	}
	d.emit(ProcessCancelled(c))
	return nil
}

func (d *decision) pause(c PauseProcess) error {
	switch {
	case d.Status == Paused:
		return nil
	case d.Ended():
		return d.refuse("it has %s already: there is nothing to pause", ended(d.Status))
	}
	d.emit(ProcessPaused(c))
	return nil
}

func (d *decision) resume(c ResumeProcess) error {
	switch {
	case d.Status == Running:
		return nil
	case d.Status == Completed:
		return d.refuse("it has completed; to run a part of it again, restart it from a step")
	case d.Ended():
		return d.refuse("it has %s, it is not paused; to make it go on, retry what failed, or restart it from a step", ended(d.Status))
	}
	d.emit(ProcessResumed(c))
	d.advanceAll()
	return nil
}

func ended(s Status) string {
	if s == Cancelled {
		return "been cancelled"
	}
	return string(s)
}

// stepsAt are the steps at an address: that step, or those inside that group.
func (d *decision) stepsAt(address string) ([]int, error) {
	var found []int
	for i, step := range d.Definition.Steps {
		if step.Address == address || strings.HasPrefix(step.Address, address+"/") {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		return nil, d.refuse("it has %s", d.graph.noStep(address))
	}
	return found, nil
}

// downstream marks the steps that follow from some, without those themselves
// unless they follow from another of them.
func (d *decision) downstream(from []int) map[int]bool {
	seen := map[int]bool{}
	todo := slices.Clone(from)
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, j := range d.graph.next[i] {
			if !seen[j] {
				seen[j] = true
				todo = append(todo, j)
			}
		}
	}
	return seen
}

// beginAnew lists, in the order of the definition, those of the steps that have
// started, at their next generation.
func (d *decision) beginAnew(steps map[int]bool) []Begun {
	var all []Begun
	for i, step := range d.Definition.Steps {
		if n := d.nodes[i]; steps[i] && n.phase != waiting {
			all = append(all, Begun{Address: step.Address, Generation: n.generation + 1})
		}
	}
	return all
}
