package process

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// Asked is who asked for something and why. Command is the ID of the command,
// chosen by the sender: the same command again changes nothing.
type Asked struct {
	By      string `json:"by,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Command string `json:"command,omitempty"`
}

// String is " by ada: why", as far as it is known.
func (a Asked) String() string { return a.by() + a.why() }

func (a Asked) by() string {
	if a.By == "" {
		return ""
	}
	return " by " + a.By
}

func (a Asked) why() string {
	if a.Reason == "" {
		return ""
	}
	return ": " + a.Reason
}

// asked makes every command and event that embeds Asked say who is behind it.
func (a Asked) asked() Asked { return a }

// AskedIn is who asked for what an event tells, and why; ok is false for an
// event that no person asked for.
func AskedIn(e Event) (a Asked, ok bool) { return askedIn(e) }

func askedIn(of any) (a Asked, ok bool) {
	by, ok := of.(interface{ asked() Asked })
	if !ok {
		return Asked{}, false
	}
	return by.asked(), true
}

// does is "ada cancels the process: why".
func (a Asked) does(what string) string {
	return cmp.Or(a.By, "a person") + " " + what + a.why()
}

// CancelProcess ends a process for good, without its outputs: what runs is
// stopped, what waits is dropped. Only a retry or a restart makes it go again.
type CancelProcess struct {
	Asked
	At time.Time `json:"at"`
}

// PauseProcess stops scheduling. What is being executed goes on, and its
// results count; what waits on the queue is taken back.
type PauseProcess struct {
	Asked
	At time.Time `json:"at"`
}

// ResumeProcess makes a paused process go on.
type ResumeProcess struct {
	Asked
	At time.Time `json:"at"`
}

// RetryTasks gives tasks that failed for good, or were skipped, a fresh budget
// and schedules them again, at once; a task that waits for its retry is not
// kept waiting. It makes a process go on that failed, or was cancelled. Tasks
// that a completed step had skipped are retried only if their step is named:
// it goes back for them, and whatever follows from it begins anew.
type RetryTasks struct {
	Address string      `json:"address,omitempty"` // "": whatever failed
	Tasks   task.Ranges `json:"tasks,omitempty"`   // none: whatever failed at the address
	Asked
	At time.Time `json:"at"`
}

// RestartFrom runs a step again as a new generation, or all steps of a group,
// and everything downstream of it. Upstream data is used again.
type RestartFrom struct {
	Address string `json:"address"`
	Asked
	At time.Time `json:"at"`
}

// ReviseProcess gives a running process another definition: a new version of
// it, or other settings. It is refused unless what has completed stays as it
// was; steps that are running and do something else now begin anew.
type ReviseProcess struct {
	Definition definition.Definition `json:"definition"`
	Base       string                `json:"base,omitempty"` // hash of the definition it was made from; refused if that is not the current one
	Asked
	At time.Time `json:"at"`
}

func (c CancelProcess) when() time.Time { return c.At }
func (c PauseProcess) when() time.Time  { return c.At }
func (c ResumeProcess) when() time.Time { return c.At }
func (c RetryTasks) when() time.Time    { return c.At }
func (c RestartFrom) when() time.Time   { return c.At }
func (c ReviseProcess) when() time.Time { return c.At }

func (c CancelProcess) String() string { return c.does("cancels the process") }
func (c PauseProcess) String() string  { return c.does("pauses the process") }
func (c ResumeProcess) String() string { return c.does("resumes the process") }

func (c RetryTasks) String() string {
	what := "whatever failed"
	switch {
	case len(c.Tasks) > 0:
		what = subject(c.Address, c.Tasks)
	case c.Address != "":
		what = "whatever failed in " + c.Address
	}
	return c.does("retries " + what)
}

func (c RestartFrom) String() string { return c.does("restarts the process from " + c.Address) }

func (c ReviseProcess) String() string {
	return c.does("revises the definition" + version(c.Definition))
}

func version(d definition.Definition) string {
	if d.Version == "" {
		return ""
	}
	return " to version " + d.Version
}

// Begun is a step that begins anew, at a generation that it never had before.
// With Keep, what was confirmed stays, and only what was skipped is open again.
type Begun struct {
	Address    string `json:"address"`
	Generation int    `json:"generation"`
	Keep       bool   `json:"keep,omitempty"`
}

// Reopened are tasks that get a fresh budget.
type Reopened struct {
	Address    string      `json:"address"`
	Generation int         `json:"generation,omitempty"`
	Tasks      task.Ranges `json:"tasks"`
}

// ProcessCancelled says that a person ended the process.
type ProcessCancelled struct {
	Asked
	At time.Time `json:"at"`
}

// ProcessPaused says that nothing is scheduled until ProcessResumed.
type ProcessPaused struct {
	Asked
	At time.Time `json:"at"`
}

// ProcessResumed says that a paused process goes on.
type ProcessResumed struct {
	Asked
	At time.Time `json:"at"`
}

// ProcessRetried says that failed tasks have a fresh budget, and, if the
// process had ended, that it runs again. Steps are those that had completed
// without the tasks, and what is downstream of them.
type ProcessRetried struct {
	Steps []Begun    `json:"steps,omitempty"`
	Tasks []Reopened `json:"tasks,omitempty"`
	Asked
	At time.Time `json:"at"`
}

// ProcessRestarted says that steps begin anew. Everything else is kept, and
// the process runs, whether it had ended or not. Tasks are those of other steps
// that had failed for good: they have a fresh budget.
type ProcessRestarted struct {
	From  string     `json:"from"`
	Steps []Begun    `json:"steps"`
	Tasks []Reopened `json:"tasks,omitempty"`
	Asked
	At time.Time `json:"at"`
}

// ProcessRevised says that another definition holds from now on. Steps that
// were running and do something else now begin anew.
type ProcessRevised struct {
	Definition definition.Definition `json:"definition"`
	Hash       string                `json:"hash"`
	Steps      []Begun               `json:"steps,omitempty"`
	Asked
	At time.Time `json:"at"`
}

func (ProcessCancelled) event() {}
func (ProcessPaused) event()    {}
func (ProcessResumed) event()   {}
func (ProcessRetried) event()   {}
func (ProcessRestarted) event() {}
func (ProcessRevised) event()   {}

func (e ProcessCancelled) String() string { return "process cancelled" + e.Asked.String() }
func (e ProcessPaused) String() string    { return "process paused" + e.Asked.String() }
func (e ProcessResumed) String() string   { return "process resumed" + e.Asked.String() }

func (e ProcessRetried) String() string {
	return "process retried" + e.by() + changes(e.Tasks, e.Steps) + e.why()
}

func (e ProcessRestarted) String() string {
	return "process restarted from " + e.From + e.by() + changes(e.Tasks, e.Steps) + e.why()
}

func (e ProcessRevised) String() string {
	return "definition revised" + version(e.Definition) + e.by() + changes(nil, e.Steps) + e.why()
}

// changes is " (fresh budget for shrink[1]; anew: frame as generation 1)".
func changes(tasks []Reopened, steps []Begun) string {
	var fresh, anew, kept []string
	for _, t := range tasks {
		fresh = append(fresh, subject(t.Address, t.Tasks))
	}
	for _, b := range steps {
		step := fmt.Sprintf("%s as generation %d", b.Address, b.Generation)
		if b.Keep {
			kept = append(kept, step)
		} else {
			anew = append(anew, step)
		}
	}
	var all []string
	if len(fresh) > 0 {
		all = append(all, "fresh budget for "+strings.Join(fresh, ", "))
	}
	if len(kept) > 0 {
		all = append(all, "goes back, keeping what was confirmed: "+strings.Join(kept, ", "))
	}
	if len(anew) > 0 {
		all = append(all, "anew: "+strings.Join(anew, ", "))
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, "; ") + ")"
}
