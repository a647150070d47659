package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// childrenNamed is how many children a command points to that is about their parent.
const childrenNamed = 3

// hasChildren reports whether tasks of a process are processes of their own: of
// a step, or of any.
func hasChildren(s process.State, address string) bool {
	return s.Definition != nil && slices.ContainsFunc(s.Steps(), func(p process.Progress) bool {
		step, is := s.Step(p.Address)
		return is && step.Process != nil && (address == "" || address == p.Address)
	})
}

// childOf is the process that an attempt at a task is.
func childOf(s process.State, address string, generation, index, attempt int) string {
	p := process.Parent{Process: s.ID, Address: address, Generation: generation, Index: index, Attempt: attempt, Root: s.ID}
	if s.Parent != nil {
		p.Root = s.Parent.Root
	}
	return process.ChildID(p)
}

// childrenAt lists the children of a process, those first that a person has to
// look at; those of a step if an address is given.
func childrenAt(ctx context.Context, r *deed.Runtime, s process.State, address string) ([]orchestrator.Summary, error) {
	var all []orchestrator.Summary
	for p, err := range r.Processes(ctx, orchestrator.Filter{Parent: s.ID}) {
		if err != nil {
			return nil, err
		}
		if address == "" || strings.HasPrefix(p.Task, address+"[") || strings.HasPrefix(p.Task, address+"~") {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, urgent)
	return all, nil
}

// aboutChildren says how many children there are, and what the first ones are at,
// unless they have completed.
func aboutChildren(all []orchestrator.Summary) []string {
	if len(all) == 0 {
		return nil
	}
	lines := []string{fmt.Sprintf("%s: %s", map[bool]string{true: "1 child", false: fmt.Sprintf("%d children", len(all))}[len(all) == 1], standings(all))}
	for _, p := range all {
		byParent := p.Status == process.Cancelled && strings.Contains(p.Reason, orchestrator.ParentSign+p.Parent)
		if p.Status != process.Completed && !byParent && len(lines) <= childrenNamed {
			lines = append(lines, aboutChild(p))
		}
	}
	return lines
}

// aboutChild is "album[3] is the process photos-1-ab…, which failed: …".
func aboutChild(p orchestrator.Summary) string {
	text := fmt.Sprintf("%s is the process %s", p.Task, p.ID)
	switch {
	case p.Reason != "":
		return text + ": " + shortened(strings.TrimPrefix(p.Reason, "process "), 200)
	case p.Status == process.Running:
		return fmt.Sprintf("%s, which runs: %d of %d tasks so far", text, p.TasksDone, p.Tasks)
	}
	return fmt.Sprintf("%s, which is %s", text, p.Status)
}

// printChildren prints what there is to say of children, and how to see more.
func (a *app) printChildren(id string, all []orchestrator.Summary) {
	lines := aboutChildren(all)
	if len(lines) == 0 {
		return
	}
	fmt.Fprintln(a.stdout)
	for _, line := range lines {
		fmt.Fprintln(a.stdout, printable(line))
	}
	if len(all) > 1 {
		fmt.Fprintf(a.stdout, "%#q lists them\n", a.commandLine("ps", id))
	}
}

// lookForChild says what the process is at that a task is.
func (a *app) lookForChild(ctx context.Context, r *deed.Runtime, s process.State, answer *whyJSON) error {
	id := childOf(s, answer.Address, answer.Generation, answer.Index, answer.Attempt)
	child, err := orchestrator.Load(ctx, r.Archive, id)
	if err != nil || child.Version == 0 {
		return err
	}
	answer.Child = id
	text := fmt.Sprintf("it is the process %s, which is %s", id, child.Status)
	if reason := child.Reason(); reason != "" {
		text += ": " + reason
	}
	answer.Now = append(answer.Now, text)
	return nil
}

// ofFamily leaves of a view what is of a process and those below it.
func (a *app) ofFamily(ctx context.Context, r *deed.Runtime, v orchestrator.View, id string) (orchestrator.View, error) {
	family := map[string]bool{}
	for p, err := range r.Processes(ctx, orchestrator.Filter{Family: id}) {
		if err != nil {
			return v, err
		}
		family[p.ID] = true
	}
	v.Running = slices.DeleteFunc(v.Running, func(t orchestrator.RunningTask) bool { return !family[t.Process] })
	v.Queues = slices.DeleteFunc(v.Queues, func(q orchestrator.QueueView) bool { return !family[q.Process] })
	return v, nil
}

// lookAtChildren says what the child is at that why is asked about, or the
// children that matter of a step or a process.
func (a *app) lookAtChildren(ctx context.Context, r *deed.Runtime, s process.State, answer *whyJSON) error {
	switch {
	case !hasChildren(s, answer.Address):
		return nil
	case answer.Index >= 0:
		return a.lookForChild(ctx, r, s, answer)
	}
	all, err := childrenAt(ctx, r, s, answer.Address)
	answer.Now = append(answer.Now, aboutChildren(all)...)
	return err
}

// pointToLogs says where the logs of children are that matter.
func (a *app) pointToLogs(ctx context.Context, r *deed.Runtime, s process.State, o logsOptions) error {
	if !hasChildren(s, o.address) {
		return nil
	}
	all, err := childrenAt(ctx, r, s, o.address)
	if o.index >= 0 {
		all = slices.DeleteFunc(all, func(p orchestrator.Summary) bool {
			return !strings.Contains(p.Task+" ", fmt.Sprintf("[%d] ", o.index))
		})
	}
	for _, p := range all[:min(len(all), childrenNamed)] {
		fmt.Fprintf(a.stderr, "%s; %#q has what its tasks printed\n", printable(aboutChild(p)), a.commandLine("logs", p.ID))
	}
	return err
}
