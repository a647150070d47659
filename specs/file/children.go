package file

import (
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// child is the step at an address, if each task of it is a process of its own.
func (c *course) child(address string) (definition.Step, bool) {
	step, ok := c.def.Step(address)
	return step, ok && step.Process != nil
}

// apart are the reports that children make of what is told of several at once: each
// speaks for itself.
func (c *course) apart(h happening) ([]happening, error) {
	if _, isChild := c.child(h.subject.address); !isChild || h.verb != "done" {
		return []happening{h}, nil
	}
	tasks := h.subject.tasks
	if h.subject.all {
		tasks = c.outstanding(h.subject.address, false)
	}
	if tasks.Len() < 2 {
		return []happening{h}, nil
	}
	if err := c.spend(tasks.Len()); err != nil {
		return nil, err
	}
	var each []happening
	for index := range tasks.All() {
		h.subject.all, h.subject.tasks = false, task.Span(index, 1)
		each = append(each, h)
		h.after = 0 // the others are done at the same time
	}
	return each, nil
}

// withLists adds what a child handed up: as the file says, else one part to each
// output, with the key of its element.
func (c *course) withLists(done process.ConfirmTasks, step definition.Step, h happening) (process.Command, error) {
	if done.Tasks.Len() != 1 {
		return nil, at(h.Pos, "%s: children report one by one, such as %s[0]", h.subject.Value, done.Address)
	}
	var outputs []task.Output
	for _, out := range step.Out {
		outputs = append(outputs, task.Output{Local: out.Local, Data: out.Data, JSON: string(out.JSON)})
	}
	w, err := c.writing(done.Address, outputs, h)
	if err != nil {
		return nil, err
	}
	index := done.Tasks[0].First
	of := process.StartChildren{Address: done.Address, Generation: done.Generation, Attempt: done.Attempt, Tasks: done.Tasks}
	start, err := process.Child(c.state, of, index, nil, c.now)
	if err != nil { // it is late, or about a task that is not there: that the core decides
		return done, nil
	}
	inherited := ""
	if step.Each != nil {
		if element := start.Inputs[step.Each.Local].Parts; len(element) > 0 {
			inherited = element[0].Key
		}
	}
	done.Lists = map[string]task.Dataset{}
	for _, out := range outputs {
		list := w.list(out.Data, index, inherited)
		if err := c.spend(len(list)); err != nil {
			return nil, err
		}
		done.Lists[out.Local] = task.Inline(list)
	}
	return done, nil
}
