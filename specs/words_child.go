package specs

import (
	"encoding/json"
	"fmt"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// HandedUp says that a child handed up an output of so many parts.
func HandedUp(output string, parts int) Option {
	data := make([]task.Part, parts)
	for i := range data {
		data[i] = task.Part{Value: value(output, i)}
	}
	return handedUp(output, task.Inline(data))
}

// HandedUpListed says that a child handed up an output of so many parts under so
// many keys, listed in a manifest.
func HandedUpListed(output string, parts, keys int) Option {
	return handedUp(output, merged(parts, keys))
}

// HandedUpValue says that a child handed up one small value, written as JSON.
func HandedUpValue(output, json string) Option {
	return handedUp(output, task.Inline([]task.Part{{Value: []byte(json)}}))
}

func handedUp(output string, data task.Dataset) Option {
	return func(d *detail) {
		if d.lists == nil {
			d.lists = map[string]task.Dataset{}
		}
		d.lists[output] = data
	}
}

// WroteValue says that task index wrote one small value to a name, written as JSON.
func WroteValue(index int, name, value string) Option {
	p := task.Produced{Index: index, Data: name, Part: task.Part{Value: json.RawMessage(value)}}
	return func(d *detail) { d.parts = append(d.parts, p) }
}

// Like says that task index of the step did what a task of another process had done.
func Like(index int, process string) Option {
	return func(d *detail) {
		d.origins = append(d.origins, task.Origin{
			Index: index, Key: fmt.Sprintf("equal %d", index), Attempt: task.Attempt{Process: process, Address: "shrink", Index: index, Attempt: 1},
		})
	}
}

// Reused is the event that results of equal tasks were taken.
func Reused(address string, tasks task.Ranges, options ...Option) process.TasksReused {
	d := details(options)
	return process.TasksReused{
		Address: address, Generation: d.generation, Attempt: d.attempt, Tasks: tasks,
		Parts: d.parts, Manifest: d.manifest, Origins: d.origins, At: noon,
	}
}

// Reuse says that results of equal tasks will do.
func Reuse(address string, tasks task.Ranges, options ...Option) process.ReuseTasks {
	return process.ReuseTasks(Reused(address, tasks, options...))
}

// StepSkipped is the event that the condition of a step did not hold.
func StepSkipped(address, when string, options ...Option) process.StepSkipped {
	return process.StepSkipped{Address: address, Generation: details(options).generation, When: when, At: noon}
}

// RepeatEnded is the event that a step needs no further round; until is the
// condition that holds, "" if there were as many rounds as there were to be.
func RepeatEnded(address string, rounds int, until string) process.RepeatEnded {
	return process.RepeatEnded{Address: address, Rounds: rounds, Until: until, At: noon}
}

// Parent is the first attempt at a task of the process "example".
func Parent(address string, index int) process.Parent {
	return process.Parent{Process: "example", Address: address, Index: index, Attempt: 1, Root: "example"}
}

// StartedAsChild is the event that the child of a task started.
func StartedAsChild(parent process.Parent, def definition.Definition, given ...Data) process.ProcessStarted {
	e := Started(def, given...)
	e.ID, e.Parent = process.ChildID(parent), &parent
	return e
}

// StartAsChild asks for the child of a task.
func StartAsChild(parent process.Parent, def definition.Definition, given ...Data) process.StartProcess {
	c := Start(def, given...)
	c.ID, c.Parent = process.ChildID(parent), &parent
	return c
}
