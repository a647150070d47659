package whatif

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
)

// notes gathers what a report takes for granted.
type notes struct {
	slow map[string]int // by step: tasks that took longer than the other world allows
}

// result notices results that a shorter timeout might not have let happen.
// What is recorded of several tasks is how long they took together: if that is
// too long for them, one at least was.
func (n *notes) result(r *Replay, res result) {
	if _, done := res.said.(process.ConfirmTasks); !done || isMerge(res.address) {
		return
	}
	had, has := r.was.state.Timeout(res.address), r.would.state.Timeout(res.address)
	if has <= 0 || had > 0 && had <= has || res.took <= has {
		return
	}
	if n.slow == nil {
		n.slow = map[string]int{}
	}
	n.slow[res.address]++
}

func (n *notes) lines(r *Replay) []string {
	was, would := r.was.state.Definition, r.would.state.Definition
	lines := n.timeouts(was, would)
	if params := changedParams(was, would); len(params) > 0 {
		lines = append(lines, fmt.Sprintf("results are taken to be the same under other parameters (%s): what a handler makes of them is not known here", strings.Join(params, ", ")))
	}
	if other := otherWorkers(was, would); len(other) > 0 {
		lines = append(lines, fmt.Sprintf("results are taken to come when they did under another %s: who would have executed what, and when, is not known here", strings.Join(other, ", ")))
	}
	if families := otherChildren(was, would); len(families) > 0 {
		lines = append(lines, fmt.Sprintf("what happens in children is not replayed: those of %s are told as if they had ended as they did", strings.Join(families, ", ")))
	}
	if !r.was.state.Ended() {
		lines = append(lines, fmt.Sprintf("the process is %s: both worlds are told up to its last event", r.was.state.Status))
	}
	if merges := r.openMerges(); len(merges) > 0 {
		lines = append(lines, "what there is to merge of "+strings.Join(merges, ", ")+" is something else, so what follows from it is not known")
	}
	if r.was.drift > 0 {
		lines = append(lines, fmt.Sprintf("from event %d on another version of deed decided: this one would decide otherwise without any change, so not all that differs comes from the change", r.was.drift))
	}
	return lines
}

func (n *notes) timeouts(was, would *definition.Definition) []string {
	var lines []string
	for _, b := range would.Steps {
		a, had := was.Step(b.Address)
		if !had || a.Timeout == b.Timeout || b.Timeout <= 0 || a.Timeout > 0 && a.Timeout < b.Timeout {
			continue
		}
		line := fmt.Sprintf("a shorter timeout changes no recorded result, so %s is told as if its timeout of %s ended nothing", b.Address, b.Timeout)
		if slow := n.slow[b.Address]; slow > 0 {
			line += fmt.Sprintf("; but at least %s longer than that", took(slow))
		}
		lines = append(lines, line)
	}
	return lines
}

func took(n int) string {
	if n == 1 {
		return "1 of its tasks took"
	}
	return fmt.Sprintf("%d of its tasks took", n)
}

func changedParams(a, b *definition.Definition) []string {
	var names []string
	for name, value := range b.Params {
		if had, ok := a.Params[name]; !ok || string(had) != string(value) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// otherWorkers lists the settings that say who executes tasks, and when, where
// they are others.
func otherWorkers(a, b *definition.Definition) []string {
	var other []string
	if max(a.Weight, 1) != max(b.Weight, 1) {
		other = append(other, "weight")
	}
	for _, is := range b.Steps {
		was, had := a.Step(is.Address)
		for what, differs := range map[string]bool{"pool": was.Pool != is.Pool, "needs": was.Needs != is.Needs, "rate": was.Rate != is.Rate} {
			if had && differs {
				other = append(other, is.Address+"."+what)
			}
		}
	}
	slices.Sort(other)
	return other
}

// otherChildren lists the steps whose children are to be tried or bounded in
// another way, with the same work.
func otherChildren(a, b *definition.Definition) []string {
	var steps []string
	for _, is := range b.Steps {
		was, had := a.Step(is.Address)
		if had && was.Process != nil && is.Process != nil && len(definition.SameWork(was, is)) == 0 && len(definition.Diff(*was.Process, *is.Process)) > 0 {
			steps = append(steps, is.Address)
		}
	}
	return steps
}

// openMerges lists the names whose merges the other world waits for and the
// recorded one does not.
func (r *Replay) openMerges() []string {
	theirs := map[string]bool{}
	for _, t := range outstanding(r.was.state) {
		theirs[t.Address] = true
	}
	var names []string
	for _, t := range outstanding(r.would.state) {
		if isMerge(t.Address) && !theirs[t.Address] {
			names = append(names, strings.TrimPrefix(t.Address, process.SealPrefix))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
