package specs

import (
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// By is who asks for something.
func By(who string) Option { return func(d *detail) { d.by = who } }

// Command is the ID of a person's command.
func Command(id string) Option { return func(d *detail) { d.command = id } }

// Anew says that a step begins anew, as this generation.
func Anew(address string, generation int) Option {
	return func(d *detail) {
		d.begun = append(d.begun, process.Begun{Address: address, Generation: generation})
	}
}

// Kept says that a step goes back for tasks it had skipped, as this generation.
func Kept(address string, generation int) Option {
	return func(d *detail) {
		d.begun = append(d.begun, process.Begun{Address: address, Generation: generation, Keep: true})
	}
}

// Fresh says that tasks have a fresh budget; the generation of their step is 0
// unless given.
func Fresh(address string, tasks task.Ranges, generation ...int) Option {
	r := process.Reopened{Address: address, Tasks: tasks}
	if len(generation) > 0 {
		r.Generation = generation[0]
	}
	return func(d *detail) { d.reopened = append(d.reopened, r) }
}

func (d detail) asked() process.Asked {
	return process.Asked{By: d.by, Reason: d.reason, Command: d.command}
}

// StartBy asks for the process of a definition, as somebody and in a trace.
func StartBy(who, trace string, def definition.Definition, given ...Data) process.StartProcess {
	c := Start(def, given...)
	c.By, c.Trace = who, trace
	return c
}

// StartedBy is the event that somebody started a process, in a trace.
func StartedBy(who, trace string, def definition.Definition, given ...Data) process.ProcessStarted {
	e := Started(def, given...)
	e.By, e.Trace = who, trace
	return e
}

// Cancel asks for the end of the process.
func Cancel(options ...Option) process.CancelProcess {
	return process.CancelProcess{Asked: details(options).asked(), At: noon}
}

// Pause asks for a pause.
func Pause(options ...Option) process.PauseProcess {
	return process.PauseProcess{Asked: details(options).asked(), At: noon}
}

// Resume asks for the end of a pause.
func Resume(options ...Option) process.ResumeProcess {
	return process.ResumeProcess{Asked: details(options).asked(), At: noon}
}

// Retry asks for a fresh budget for tasks; with no tasks, for whatever failed
// at the address; with no address, for whatever failed.
func Retry(address string, tasks task.Ranges, options ...Option) process.RetryTasks {
	return process.RetryTasks{Address: address, Tasks: tasks, Asked: details(options).asked(), At: noon}
}

// Restart asks for a step, and everything downstream of it, to run again.
func Restart(address string, options ...Option) process.RestartFrom {
	return process.RestartFrom{Address: address, Asked: details(options).asked(), At: noon}
}

// Revise asks for another definition.
func Revise(def definition.Definition, options ...Option) process.ReviseProcess {
	return process.ReviseProcess{Definition: def, Asked: details(options).asked(), At: noon}
}

// Deadline says that so long after its start the deadline of the process may
// have come.
func Deadline(after time.Duration) process.FireDeadline {
	return process.FireDeadline{At: noon.Add(after)}
}

// Cancelled is the event that a person ended the process.
func Cancelled(options ...Option) process.ProcessCancelled {
	return process.ProcessCancelled{Asked: details(options).asked(), At: noon}
}

// Paused is the event that the process was paused.
func Paused(options ...Option) process.ProcessPaused {
	return process.ProcessPaused{Asked: details(options).asked(), At: noon}
}

// Resumed is the event that the pause is over.
func Resumed(options ...Option) process.ProcessResumed {
	return process.ProcessResumed{Asked: details(options).asked(), At: noon}
}

// Retried is the event that what failed is tried again: say Fresh what, and
// which steps are Kept or Anew.
func Retried(options ...Option) process.ProcessRetried {
	d := details(options)
	return process.ProcessRetried{Steps: d.begun, Tasks: d.reopened, Asked: d.asked(), At: noon}
}

// Restarted is the event that steps run again: say which are Anew.
func Restarted(from string, options ...Option) process.ProcessRestarted {
	d := details(options)
	return process.ProcessRestarted{From: from, Steps: d.begun, Tasks: d.reopened, Asked: d.asked(), At: noon}
}

// Revised is the event that another definition holds: say which steps are Anew.
func Revised(def definition.Definition, options ...Option) process.ProcessRevised {
	d := details(options)
	return process.ProcessRevised{Definition: def, Hash: def.Hash(), Steps: d.begun, Asked: d.asked(), At: noon}
}

// Skipped is the event that a step goes on without tasks.
func Skipped(address string, tasks task.Ranges, reason string, options ...Option) process.TasksSkipped {
	d := details(options)
	return process.TasksSkipped{Address: address, Generation: d.generation, Attempt: d.attempt, Tasks: tasks, Element: d.element, Reason: reason, At: noon}
}

// DeadlineMissed is the event that the process took longer than it may.
func DeadlineMissed(limit time.Duration) process.ProcessDeadlineMissed {
	return process.ProcessDeadlineMissed{Deadline: task.Duration(limit), At: noon}
}

// ProcessFailedAsAWhole is the event that the process failed at no step in particular.
func ProcessFailedAsAWhole(reason string) process.ProcessFailed {
	return process.ProcessFailed{Index: -1, Reason: reason, At: noon}
}
