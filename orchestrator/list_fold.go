package orchestrator

import (
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// listed is a process in the making of a list. It counts by step, since steps
// may begin anew; what it never keeps is anything by task.
type listed struct {
	Summary
	version uint64
	steps   map[string]*listedStep // by address, of those that have started
}

type listedStep struct {
	tasks, confirmed int
	skipped          task.Ranges
	completed        bool
}

func (p *listed) apply(event process.Event) {
	switch e := event.(type) {
	case process.ProcessStarted:
		p.Name, p.Definition, p.Steps = e.Definition.Name, e.Definition.Version, len(e.Definition.Steps)
		p.Status, p.StartedAt = process.Running, e.At
	case process.StepStarted:
		if !strings.HasPrefix(e.Address, process.SealPrefix) {
			p.steps[e.Address] = &listedStep{tasks: e.Tasks}
		}
	case process.TasksConfirmed:
		p.step(e.Address, func(s *listedStep) { s.confirmed += e.Tasks.Len() })
	case process.TasksSkipped:
		p.step(e.Address, func(s *listedStep) { s.skipped = s.skipped.Union(e.Tasks) })
	case process.TasksFailed:
		p.Failures += e.Tasks.Len()
	case process.TaskTimedOut:
		p.Failures++
	case process.StepCompleted:
		p.step(e.Address, func(s *listedStep) { s.completed = true })
	case process.ProcessCompleted:
		p.Status, p.EndedAt, p.Reason = process.Completed, e.At, ""
	case process.ProcessFailed:
		p.Status, p.EndedAt, p.Reason = process.Failed, e.At, e.String()
	default:
		p.byPerson(event)
	}
}

// byPerson takes in what a person asked for and got.
func (p *listed) byPerson(event process.Event) {
	switch e := event.(type) {
	case process.ProcessCancelled:
		p.Status, p.EndedAt, p.Reason = process.Cancelled, e.At, e.String()
	case process.ProcessPaused:
		p.Status, p.Reason = process.Paused, e.String()
	case process.ProcessResumed:
		p.Status, p.Reason = process.Running, ""
	case process.ProcessRetried:
		p.goAgain(e.Steps, e.Tasks)
	case process.ProcessRestarted:
		p.goAgain(e.Steps, e.Tasks)
	case process.ProcessRevised:
		p.Definition, p.Steps = e.Definition.Version, len(e.Definition.Steps)
		there := map[string]bool{}
		for _, s := range e.Definition.Steps {
			there[s.Address] = true
		}
		for address := range p.steps {
			if !there[address] {
				delete(p.steps, address)
			}
		}
		p.begin(e.Steps)
	}
}

// goAgain follows a retry or a restart. A paused process stays paused.
func (p *listed) goAgain(steps []process.Begun, tasks []process.Reopened) {
	if p.Status != process.Paused {
		p.Status, p.EndedAt, p.Reason = process.Running, time.Time{}, ""
	}
	p.begin(steps)
	for _, t := range tasks {
		p.step(t.Address, func(s *listedStep) { s.skipped = s.skipped.Minus(t.Tasks) })
	}
}

func (p *listed) begin(steps []process.Begun) {
	for _, b := range steps {
		if !b.Keep {
			delete(p.steps, b.Address)
			continue
		}
		p.step(b.Address, func(s *listedStep) { s.completed = false })
	}
}

// step changes the counts of a step. Merges of lists are none.
func (p *listed) step(address string, change func(*listedStep)) {
	if s := p.steps[address]; s != nil {
		change(s)
	}
}

// summary adds up the steps.
func (p *listed) summary() Summary {
	sum := p.Summary
	for _, s := range p.steps {
		sum.Tasks += s.tasks
		sum.TasksDone += s.confirmed
		sum.Skipped += s.skipped.Len()
		if s.completed {
			sum.StepsDone++
		}
	}
	return sum
}
