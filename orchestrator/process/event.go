package process

import (
	"fmt"
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
	Trace      string                  `json:"trace,omitempty"`  // W3C traceparent that all of the process belongs to; "": none
	Parent     *Parent                 `json:"parent,omitempty"` // of a child; nil: a person submitted it
	Asked
	At time.Time `json:"at"`
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
	Address    string                  `json:"address"`
	Generation int                     `json:"generation,omitempty"`
	Attempt    int                     `json:"attempt"`
	Tasks      task.Ranges             `json:"tasks"`
	Parts      []task.Produced         `json:"parts,omitempty"`
	Manifest   *task.Ref               `json:"manifest,omitempty"`
	Sealed     *task.Dataset           `json:"sealed,omitempty"`
	Lists      map[string]task.Dataset `json:"lists,omitempty"` // of one task, which was a child: by output of the child
	Worker     string                  `json:"worker,omitempty"`
	Elapsed    task.Duration           `json:"elapsed,omitempty"` // summed over the tasks
	At         time.Time               `json:"at"`
}

// TasksReused says that tasks are done without having been executed: equal
// tasks, which ran earlier, wrote what they would have written.
type TasksReused struct {
	Address    string          `json:"address"`
	Generation int             `json:"generation,omitempty"`
	Attempt    int             `json:"attempt"`
	Tasks      task.Ranges     `json:"tasks"`
	Parts      []task.Produced `json:"parts,omitempty"`
	Manifest   *task.Ref       `json:"manifest,omitempty"`
	Origins    []task.Origin   `json:"origins"` // of each task
	At         time.Time       `json:"at"`
}

// StepSkipped says that the condition of a step did not hold: it is over, and
// what it writes are empty lists.
type StepSkipped struct {
	Address    string    `json:"address"`
	Generation int       `json:"generation,omitempty"`
	When       string    `json:"when"` // the condition
	At         time.Time `json:"at"`
}

// RepeatEnded says that a step which repeats its child needs no further round.
type RepeatEnded struct {
	Address    string    `json:"address"`
	Generation int       `json:"generation,omitempty"`
	Rounds     int       `json:"rounds"`
	Until      string    `json:"until,omitempty"` // the condition that holds; "": there were as many rounds as there were to be
	At         time.Time `json:"at"`
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
func (TasksReused) event()           {}
func (StepSkipped) event()           {}
func (RepeatEnded) event()           {}
func (TasksFailed) event()           {}
func (TasksRetryPlanned) event()     {}
func (TasksLost) event()             {}
func (TaskTimedOut) event()          {}
func (TasksSkipped) event()          {}
func (StepCompleted) event()         {}
func (ProcessCompleted) event()      {}
func (ProcessFailed) event()         {}
func (ProcessDeadlineMissed) event() {}
