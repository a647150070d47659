package process

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// Event is a fact. Events record outcomes, never rules, so that no later
// version of the code changes what an old history means.
type Event interface {
	event()
	fmt.Stringer
}

// ProcessStarted is the first event of every process. It carries the whole
// resolved definition.
type ProcessStarted struct {
	ID         string                  `json:"id"`
	Definition definition.Definition   `json:"definition"`
	Hash       string                  `json:"hash"` // of the definition
	Inputs     map[string]task.Dataset `json:"inputs,omitempty"`
	At         time.Time               `json:"at"`
}

// StepStarted says that all a step reads is there, and how many tasks it has.
type StepStarted struct {
	Address    string    `json:"address"`
	Generation int       `json:"generation,omitempty"`
	Tasks      int       `json:"tasks"`
	At         time.Time `json:"at"`
}

// TasksScheduled says that tasks are to be executed, at this attempt.
type TasksScheduled struct {
	Address    string      `json:"address"`
	Generation int         `json:"generation,omitempty"`
	Attempt    int         `json:"attempt"`
	Tasks      task.Ranges `json:"tasks"`
	At         time.Time   `json:"at"`
}

// TasksConfirmed says that tasks are done and where their outputs are: in
// Parts, in the report manifest Manifest (which speaks for exactly these
// tasks), or, for deed/seal, in Sealed.
type TasksConfirmed struct {
	Address    string          `json:"address"`
	Generation int             `json:"generation,omitempty"`
	Attempt    int             `json:"attempt"`
	Tasks      task.Ranges     `json:"tasks"`
	Parts      []task.Produced `json:"parts,omitempty"`
	Manifest   *task.Ref       `json:"manifest,omitempty"`
	Sealed     *task.Dataset   `json:"sealed,omitempty"`
	Worker     string          `json:"worker,omitempty"`
	Elapsed    task.Duration   `json:"elapsed,omitempty"` // summed over the tasks
	At         time.Time       `json:"at"`
}

// TasksFailed says that an attempt at tasks failed. What follows (a retry, the
// end of the process) is an event of its own.
type TasksFailed struct {
	Address    string       `json:"address"`
	Generation int          `json:"generation,omitempty"`
	Attempt    int          `json:"attempt"`
	Tasks      task.Ranges  `json:"tasks"`
	Element    string       `json:"element,omitempty"` // what a single task is about, if the worker knew
	Error      string       `json:"error"`
	Verdict    task.Verdict `json:"verdict"`
	Worker     string       `json:"worker,omitempty"`
	At         time.Time    `json:"at"`
}

// TasksRetryPlanned says that tasks will be scheduled again, as Attempt, at Due.
type TasksRetryPlanned struct {
	Address    string      `json:"address"`
	Generation int         `json:"generation,omitempty"`
	Attempt    int         `json:"attempt"`
	Tasks      task.Ranges `json:"tasks"`
	Due        time.Time   `json:"due"`
	At         time.Time   `json:"at"`
}

// TasksLost says that the worker that held this attempt at tasks is presumed dead.
type TasksLost struct {
	Address    string      `json:"address"`
	Generation int         `json:"generation,omitempty"`
	Attempt    int         `json:"attempt"`
	Tasks      task.Ranges `json:"tasks"`
	At         time.Time   `json:"at"`
}

// TaskTimedOut says that an attempt at a task was given up because it ran too long.
type TaskTimedOut struct {
	Address    string        `json:"address"`
	Generation int           `json:"generation,omitempty"`
	Attempt    int           `json:"attempt"`
	Index      int           `json:"index"`
	Elapsed    task.Duration `json:"elapsed"`
	Worker     string        `json:"worker,omitempty"`
	At         time.Time     `json:"at"`
}

// TasksSkipped says that tasks failed for good and the step goes on without
// them: it tolerates that. Whoever reads what the step writes does not see them.
type TasksSkipped struct {
	Address    string      `json:"address"`
	Generation int         `json:"generation,omitempty"`
	Attempt    int         `json:"attempt"`
	Tasks      task.Ranges `json:"tasks"`
	Element    string      `json:"element,omitempty"` // what a single task is about, where that is known
	Reason     string      `json:"reason"`
	At         time.Time   `json:"at"`
}

// StepCompleted says that all tasks of a step are confirmed, or skipped, and what it wrote
// is sealed. A list that was gathered from inline parts is not repeated here:
// Data then holds its counts and digest only.
type StepCompleted struct {
	Address    string                  `json:"address"`
	Generation int                     `json:"generation,omitempty"`
	Data       map[string]task.Dataset `json:"data,omitempty"`
	At         time.Time               `json:"at"`
}

// ProcessCompleted says that every step has completed.
type ProcessCompleted struct {
	At time.Time `json:"at"`
}

// ProcessDeadlineMissed says that the process took longer than it may.
type ProcessDeadlineMissed struct {
	Deadline task.Duration `json:"deadline"`
	At       time.Time     `json:"at"`
}

// ProcessFailed says that the process ended without its outputs, and why.
type ProcessFailed struct {
	Address string    `json:"address"`           // "": the process as a whole
	Index   int       `json:"index"`             // -1: the step as a whole
	Element string    `json:"element,omitempty"` // what the task is about, where that is known: a file, a key
	Attempt int       `json:"attempt,omitempty"`
	Worker  string    `json:"worker,omitempty"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

func (ProcessStarted) event()        {}
func (StepStarted) event()           {}
func (TasksScheduled) event()        {}
func (TasksConfirmed) event()        {}
func (TasksFailed) event()           {}
func (TasksRetryPlanned) event()     {}
func (TasksLost) event()             {}
func (TaskTimedOut) event()          {}
func (TasksSkipped) event()          {}
func (StepCompleted) event()         {}
func (ProcessCompleted) event()      {}
func (ProcessFailed) event()         {}
func (ProcessDeadlineMissed) event() {}

func (e ProcessStarted) String() string {
	return fmt.Sprintf("process %s started%s", e.Definition.Name, withInputs(e.Inputs))
}

func (e StepStarted) String() string {
	again := ""
	if e.Generation > 0 {
		again = fmt.Sprintf(" as generation %d", e.Generation)
	}
	return fmt.Sprintf("%s started%s: %s", e.Address, again, plural(e.Tasks, "task"))
}

func (e TasksScheduled) String() string {
	if e.Attempt > 1 {
		return fmt.Sprintf("%s scheduled again, attempt %d", subject(e.Address, e.Tasks), e.Attempt)
	}
	return subject(e.Address, e.Tasks) + " scheduled"
}

func (e TasksConfirmed) String() string {
	return fmt.Sprintf("%s confirmed, attempt %d", subject(e.Address, e.Tasks), e.Attempt) + wrote(e.Parts, e.Manifest, e.Sealed)
}

func (e TasksFailed) String() string {
	return fmt.Sprintf("%s failed at attempt %d (%s): %s", subject(e.Address, e.Tasks), e.Attempt, e.Verdict, e.Error)
}

func (e TasksRetryPlanned) String() string {
	when := "as soon as the process runs"
	if wait := e.Due.Sub(e.At); wait > 0 {
		when = task.Duration(wait).String() + " later"
	}
	return fmt.Sprintf("%s to be retried as attempt %d, %s", subject(e.Address, e.Tasks), e.Attempt, when)
}

func (e TasksLost) String() string {
	return fmt.Sprintf("%s lost with its worker at attempt %d", subject(e.Address, e.Tasks), e.Attempt)
}

func (e TaskTimedOut) String() string {
	return fmt.Sprintf("%s[%d] timed out at attempt %d", e.Address, e.Index, e.Attempt)
}

func (e TasksSkipped) String() string {
	return fmt.Sprintf("%s skipped: %s", subject(e.Address, e.Tasks), e.Reason)
}

func (e StepCompleted) String() string {
	if len(e.Data) == 0 {
		return e.Address + " completed"
	}
	var wrote []string
	for _, name := range slices.Sorted(maps.Keys(e.Data)) {
		wrote = append(wrote, describe(name, e.Data[name]))
	}
	return fmt.Sprintf("%s completed: %s", e.Address, strings.Join(wrote, ", "))
}

func (e ProcessCompleted) String() string { return "process completed" }

func (e ProcessDeadlineMissed) String() string {
	return fmt.Sprintf("the deadline of %s was missed", e.Deadline)
}

func (e ProcessFailed) String() string {
	if e.Address == "" {
		return "process failed: " + e.Reason
	}
	where := e.Address
	if e.Index >= 0 {
		where = fmt.Sprintf("%s[%d]", e.Address, e.Index)
	}
	if e.Element != "" {
		where += fmt.Sprintf(" (%s)", e.Element)
	}
	if e.Attempt > 0 {
		where += fmt.Sprintf(", attempt %d", e.Attempt)
	}
	if e.Worker != "" {
		where += " on worker " + e.Worker
	}
	return fmt.Sprintf("process failed at %s: %s", where, e.Reason)
}

// subject names tasks as people do: count[3], or count: tasks 0–2.
func subject(address string, tasks task.Ranges) string {
	if tasks.Len() == 1 {
		return fmt.Sprintf("%s[%d]", address, tasks[0].First)
	}
	return fmt.Sprintf("%s: tasks %s", address, tasks)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func describe(name string, d task.Dataset) string {
	s := fmt.Sprintf("%s of %s", name, plural(d.Count, "part"))
	if d.Keys > 1 {
		s += fmt.Sprintf(" under %s", plural(d.Keys, "key"))
	}
	return s
}

func withInputs(inputs map[string]task.Dataset) string {
	var s []string
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		s = append(s, describe(name, inputs[name]))
	}
	if len(s) == 0 {
		return ""
	}
	return " with " + strings.Join(s, ", ")
}

func wrote(parts []task.Produced, manifest *task.Ref, sealed *task.Dataset) string {
	switch {
	case sealed != nil:
		return fmt.Sprintf(", merging %s", plural(sealed.Count, "part"))
	case manifest != nil:
		return ", its parts listed in a manifest"
	case len(parts) > 0:
		var names []string
		times := map[string]int{}
		for _, p := range parts {
			name := p.Data
			if p.Key != "" {
				name += " under key " + p.Key
			}
			if times[name]++; times[name] == 1 {
				names = append(names, name)
			}
		}
		for i, name := range names {
			if times[name] > 1 {
				names[i] = fmt.Sprintf("%s (%s)", name, plural(times[name], "part"))
			}
		}
		const most = 4
		if len(names) > most {
			return fmt.Sprintf(", writing %s", plural(len(parts), "part"))
		}
		return ", writing " + strings.Join(names, ", ")
	}
	return ""
}
