package specs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// noon is when everything in a specification happens unless it says otherwise.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// All is the tasks 0 to n-1.
func All(n int) task.Ranges { return task.Span(0, n) }

// Only is just these tasks.
func Only(indexes ...int) task.Ranges { return task.Of(indexes...) }

// Data is a name with its list: an input, or what a step wrote.
type Data struct {
	name string
	data task.Dataset
}

// Input is an input of n parts.
func Input(name string, n int) Data {
	parts := make([]task.Part, n)
	for i := range parts {
		parts[i] = task.Part{Value: value(name, i)}
	}
	return Data{name: name, data: task.Inline(parts)}
}

// InputKeyed is an input of one part for each of the keys, which must be in order.
func InputKeyed(name string, keys ...string) Data {
	parts := make([]task.Part, len(keys))
	for i, key := range keys {
		parts[i] = task.Part{Key: key, Value: value(name, i)}
	}
	return Data{name: name, data: task.Inline(parts)}
}

func value(name string, i int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`"%s %d"`, name, i))
}

func inputs(given []Data) map[string]task.Dataset {
	if len(given) == 0 {
		return nil
	}
	m := make(map[string]task.Dataset, len(given))
	for _, g := range given {
		m[g.name] = g.data
	}
	return m
}

// Option is a detail of an event or a command.
type Option func(*detail)

type detail struct {
	generation int
	attempt    int
	parts      []task.Produced
	manifest   *task.Ref
	sealed     *task.Dataset
	reason     string
	verdict    task.Verdict
	after      time.Duration

	element string
	lists   map[string]task.Dataset
	origins []task.Origin

	by, command string
	begun       []process.Begun
	reopened    []process.Reopened
}

func details(options []Option) detail {
	d := detail{attempt: 1, verdict: task.Retry}
	for _, o := range options {
		o(&d)
	}
	return d
}

// Attempt is which attempt at the tasks it is; 1 unless said.
func Attempt(n int) Option { return func(d *detail) { d.attempt = n } }

// Generation is which generation of the step it is; 0 unless said.
func Generation(n int) Option { return func(d *detail) { d.generation = n } }

// Because is the error of a failure, or why a person asks for something.
func Because(reason string) Option { return func(d *detail) { d.reason = reason } }

// About is the part that a task is about, as people call it.
func About(element string) Option { return func(d *detail) { d.element = element } }

// Permanently marks a failure that trying again cannot mend.
func Permanently() Option { return func(d *detail) { d.verdict = task.Permanent } }

// After is how long a retry waits, or how long a handler asks to wait.
func After(wait time.Duration) Option { return func(d *detail) { d.after = wait } }

// Wrote says that task index wrote one part to a name, with a key if one is given.
func Wrote(index int, name string, key ...string) Option {
	p := task.Produced{Index: index, Data: name, Part: task.Part{Value: value(name, index)}}
	if len(key) > 0 {
		p.Key = key[0]
	}
	return func(d *detail) { d.parts = append(d.parts, p) }
}

// WroteEach says that each of the tasks wrote one part to a name.
func WroteEach(name string, tasks task.Ranges) Option {
	return func(d *detail) {
		for i := range tasks.All() {
			Wrote(i, name)(d)
		}
	}
}

// Listed says that what the tasks wrote is listed in a manifest.
func Listed(blob string) Option {
	return func(d *detail) { d.manifest = &task.Ref{Key: blob, Size: 100, SHA256: "00"} }
}

// Merged is the result of a merge: a list of n parts under so many keys.
func Merged(n, keys int) Option {
	m := merged(n, keys)
	return func(d *detail) { d.sealed = &m }
}

func merged(n, keys int) task.Dataset {
	return task.Dataset{Count: n, Keys: keys, Manifest: &task.Manifest{Ref: task.Ref{Key: "merged", Size: 100, SHA256: "00"}}}
}

// List is a name of n parts without keys, as StepCompleted records it.
func List(name string, n int) Data {
	keys := min(n, 1)
	return Data{name: name, data: task.Dataset{Count: n, Keys: keys}}
}

// ListKeyed is a name of n parts under so many keys, as StepCompleted records it.
func ListKeyed(name string, n, keys int) Data {
	return Data{name: name, data: task.Dataset{Count: n, Keys: keys}}
}

// ListMerged is the same for a list that was merged on a worker.
func ListMerged(name string, n, keys int) Data { return Data{name: name, data: merged(n, keys)} }

// Started is the event that a process started.
func Started(def definition.Definition, given ...Data) process.ProcessStarted {
	return process.ProcessStarted{ID: "example", Definition: def, Hash: def.Hash(), Inputs: inputs(given), At: noon}
}

// StepStarted is the event that a step started.
func StepStarted(address string, tasks int, options ...Option) process.StepStarted {
	return process.StepStarted{Address: address, Generation: details(options).generation, Tasks: tasks, At: noon}
}

// Scheduled is the event that tasks were scheduled.
func Scheduled(address string, tasks task.Ranges, options ...Option) process.TasksScheduled {
	d := details(options)
	return process.TasksScheduled{Address: address, Generation: d.generation, Attempt: d.attempt, Tasks: tasks, At: noon}
}

// Confirmed is the event that tasks were confirmed.
func Confirmed(address string, tasks task.Ranges, options ...Option) process.TasksConfirmed {
	d := details(options)
	return process.TasksConfirmed{
		Address: address, Generation: d.generation, Attempt: d.attempt, Tasks: tasks,
		Parts: d.parts, Manifest: d.manifest, Sealed: d.sealed, Lists: d.lists, At: noon,
	}
}

// Failed is the event that tasks failed.
func Failed(address string, tasks task.Ranges, options ...Option) process.TasksFailed {
	d := details(options)
	return process.TasksFailed{
		Address: address, Generation: d.generation, Attempt: d.attempt, Tasks: tasks,
		Error: cmp.Or(d.reason, "out of luck"), Verdict: d.verdict, At: noon,
	}
}

// RetryPlanned is the event that tasks will be tried again; say After how long.
func RetryPlanned(address string, tasks task.Ranges, options ...Option) process.TasksRetryPlanned {
	d := details(options)
	return process.TasksRetryPlanned{
		Address: address, Generation: d.generation, Attempt: d.attempt, Tasks: tasks, Due: noon.Add(d.after), At: noon,
	}
}

// Lost is the event that tasks were lost with their worker.
func Lost(address string, tasks task.Ranges, options ...Option) process.TasksLost {
	d := details(options)
	return process.TasksLost{Address: address, Generation: d.generation, Attempt: d.attempt, Tasks: tasks, At: noon}
}

// TimedOut is the event that an attempt was given up.
func TimedOut(address string, index int, options ...Option) process.TaskTimedOut {
	d := details(options)
	return process.TaskTimedOut{Address: address, Generation: d.generation, Attempt: d.attempt, Index: index, At: noon}
}

// StepCompleted is the event that a step completed with these lists.
func StepCompleted(address string, lists ...Data) process.StepCompleted {
	return process.StepCompleted{Address: address, Data: inputs(lists), At: noon}
}

// StepCompletedAgain is the same for a later generation of the step.
func StepCompletedAgain(generation int, address string, lists ...Data) process.StepCompleted {
	e := StepCompleted(address, lists...)
	e.Generation = generation
	return e
}

// ProcessCompleted is the event that the process completed.
func ProcessCompleted() process.ProcessCompleted { return process.ProcessCompleted{At: noon} }

// ProcessFailed is the event that the process failed at a task, or, with
// index -1, at a step as a whole.
func ProcessFailed(address string, index int, reason string, options ...Option) process.ProcessFailed {
	d := details(options)
	if index < 0 {
		d.attempt = 0
	}
	return process.ProcessFailed{Address: address, Index: index, Element: d.element, Attempt: d.attempt, Reason: reason, At: noon}
}

// Start asks for the process of a definition.
func Start(def definition.Definition, given ...Data) process.StartProcess {
	return process.StartProcess{ID: "example", Definition: def, Inputs: inputs(given), At: noon}
}

// Confirm reports tasks as done.
func Confirm(address string, tasks task.Ranges, options ...Option) process.ConfirmTasks {
	d := details(options)
	return process.ConfirmTasks{
		Address: address, Generation: d.generation, Attempt: d.attempt, Tasks: tasks,
		Parts: d.parts, Manifest: d.manifest, Sealed: d.sealed, Lists: d.lists, At: noon,
	}
}

// Fail reports tasks as failed.
func Fail(address string, tasks task.Ranges, options ...Option) process.FailTasks {
	d := details(options)
	return process.FailTasks{
		Address: address, Generation: d.generation, Attempt: d.attempt, Tasks: tasks,
		Error: cmp.Or(d.reason, "out of luck"), Verdict: d.verdict, After: task.Duration(d.after), At: noon,
	}
}

// Lose reports tasks as lost with their worker.
func Lose(address string, tasks task.Ranges, options ...Option) process.LoseTasks {
	d := details(options)
	return process.LoseTasks{Address: address, Generation: d.generation, Attempt: d.attempt, Tasks: tasks, At: noon}
}

// TryTimeout asks whether an attempt should be given up.
func TryTimeout(address string, index int, options ...Option) process.TryTimeoutTask {
	d := details(options)
	return process.TryTimeoutTask{Address: address, Generation: d.generation, Attempt: d.attempt, Index: index, At: noon}
}

// Fire says that the time of a planned retry has come.
func Fire(address string, tasks task.Ranges, options ...Option) process.FireTimer {
	d := details(options)
	return process.FireTimer{Address: address, Generation: d.generation, Attempt: d.attempt, Tasks: tasks, At: noon}
}
