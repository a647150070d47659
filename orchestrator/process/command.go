package process

import (
	"fmt"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// Command is a wish: Decide refuses it, or turns it into events, or, where it
// was granted already, into none.
type Command interface {
	when() time.Time
	fmt.Stringer
}

// StartProcess begins a process. The same ID with the same definition and
// inputs again changes nothing, whoever asks and in whatever trace; with others
// it is refused.
type StartProcess struct {
	ID         string                  `json:"id"`
	Definition definition.Definition   `json:"definition"`
	Inputs     map[string]task.Dataset `json:"inputs,omitempty"`
	Trace      string                  `json:"trace,omitempty"`  // W3C traceparent of who submits; "": none
	Parent     *Parent                 `json:"parent,omitempty"` // of a child; nil: a person submits it
	Asked
	At time.Time `json:"at"`
}

// ConfirmTasks says that tasks were executed and what they wrote.
type ConfirmTasks struct {
	Address    string
	Generation int
	Attempt    int
	Tasks      task.Ranges
	Parts      []task.Produced
	Manifest   *task.Ref
	Sealed     *task.Dataset           // the result of deed/seal
	Lists      map[string]task.Dataset // of one task, which was a child: by output of the child
	Worker     string
	Elapsed    task.Duration
	At         time.Time
}

// ReuseTasks says that results of equal tasks, which ran earlier, will do: the
// tasks need not be executed.
type ReuseTasks struct {
	Address    string
	Generation int
	Attempt    int
	Tasks      task.Ranges
	Parts      []task.Produced
	Manifest   *task.Ref
	Origins    []task.Origin // of each task
	At         time.Time
}

// FailTasks says that tasks were executed and failed.
type FailTasks struct {
	Address    string
	Generation int
	Attempt    int
	Tasks      task.Ranges
	Error      string
	Verdict    task.Verdict
	After      task.Duration // with task.Retry: how long the handler wants to wait; 0: as the step says
	Element    string        // what a single task was about, if the worker knows
	Worker     string
	At         time.Time
}

// LoseTasks says that tasks were handed to a second worker because the first
// one's lease ran out: it is presumed dead.
type LoseTasks struct {
	Address    string
	Generation int
	Attempt    int
	Tasks      task.Ranges
	Worker     string // who was handed them
	At         time.Time
}

// TryTimeoutTask asks whether an attempt that seems to run for too long should
// be given up. The timeout manager only asks; the aggregate decides.
type TryTimeoutTask struct {
	Address    string
	Generation int
	Index      int
	Attempt    int
	Elapsed    task.Duration
	Worker     string
	At         time.Time
}

// FireTimer says that the time of a planned retry has come.
type FireTimer struct {
	Address    string
	Generation int
	Attempt    int
	Tasks      task.Ranges
	At         time.Time
}

// FireDeadline says that the time of the process may be up.
type FireDeadline struct {
	At time.Time
}

func (c StartProcess) when() time.Time   { return c.At }
func (c ConfirmTasks) when() time.Time   { return c.At }
func (c ReuseTasks) when() time.Time     { return c.At }
func (c FailTasks) when() time.Time      { return c.At }
func (c LoseTasks) when() time.Time      { return c.At }
func (c TryTimeoutTask) when() time.Time { return c.At }
func (c FireTimer) when() time.Time      { return c.At }
func (c FireDeadline) when() time.Time   { return c.At }

func (c StartProcess) String() string {
	return fmt.Sprintf("process %s is started%s%s%s%s", c.Definition.Name, c.by(), asChild(c.Parent), described(" with ", c.Inputs), c.why())
}

func (c ConfirmTasks) String() string {
	return fmt.Sprintf("%s reported done by attempt %d%s", subject(c.Address, c.Tasks), c.Attempt, ofGeneration(c.Generation)) + wrote(c.Parts, c.Manifest, c.Sealed) + described(", its child writing ", c.Lists)
}

func (c ReuseTasks) String() string {
	return fmt.Sprintf("%s need not be executed by attempt %d", subject(c.Address, c.Tasks), c.Attempt) + wrote(c.Parts, c.Manifest, nil)
}

func (c FailTasks) String() string {
	asking := ""
	if c.After > 0 {
		asking = fmt.Sprintf(", asking to wait %s", c.After)
	}
	return fmt.Sprintf("%s reported failed by attempt %d (%s)%s: %s", subject(c.Address, c.Tasks), c.Attempt, c.Verdict, asking, c.Error)
}

// ofGeneration is said where it is not the first.
func ofGeneration(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" of generation %d", n)
}

func (c LoseTasks) String() string {
	return fmt.Sprintf("%s reported lost at attempt %d", subject(c.Address, c.Tasks), c.Attempt)
}

func (c TryTimeoutTask) String() string {
	return fmt.Sprintf("the timeout manager asks about %s[%d], attempt %d", c.Address, c.Index, c.Attempt)
}

func (c FireTimer) String() string {
	return fmt.Sprintf("the time has come to retry %s, attempt %d", subject(c.Address, c.Tasks), c.Attempt)
}

func (c FireDeadline) String() string { return "the deadline of the process has come" }
