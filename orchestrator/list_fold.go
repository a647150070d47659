package orchestrator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
)

// listed is a process in the making of a list. It counts by step, since steps
// may begin anew; all it keeps by task is which were skipped.
type listed struct {
	Summary
	version uint64
	steps   map[string]*listedStep // by address, of those that have started
	removed bool                   // kept, so that what came before does not bring it back
}

type listedStep struct {
	tasks, confirmed int
	reused           int // of the confirmed
	skipped          marks
	completed        bool
}

// take takes in a record, one of the shell or an event of the process.
func (p *listed) take(e events.Event) error {
	switch e.Type {
	case archivedType:
		return p.archive(e.Data)
	case removedType:
		*p = listed{Summary: Summary{ID: p.ID}, steps: map[string]*listedStep{}, removed: true}
		return nil
	}
	event, err := decode(e.Record)
	if err == nil {
		p.apply(event)
	}
	return err
}

// archive replaces what was counted by what the archive says: from then on
// nothing else may be there to count.
func (p *listed) archive(data []byte) error {
	var archived struct {
		Summary Summary `json:"summary"`
	}
	err := json.Unmarshal(data, &archived)
	if err == nil && archived.Summary.ID == "" {
		err = errors.New("it does not say what the process was: a newer version of deed wrote it; use that version")
	}
	if err != nil {
		return fmt.Errorf("read what was archived: %w", err)
	}
	archived.Summary.ID, archived.Summary.Archived = p.ID, true
	*p = listed{Summary: archived.Summary, steps: map[string]*listedStep{}}
	return nil
}

func (p *listed) apply(event process.Event) {
	switch e := event.(type) {
	case process.ProcessStarted:
		p.Name, p.Definition, p.Steps = e.Definition.Name, e.Definition.Version, len(e.Definition.Steps)
		p.Status, p.StartedAt = process.Running, e.At
		if e.Parent != nil {
			p.Parent, p.Root, p.Task = e.Parent.Process, e.Parent.Root, taskOf(*e.Parent)
		}
	case process.StepStarted:
		if !strings.HasPrefix(e.Address, process.SealPrefix) {
			p.steps[e.Address] = &listedStep{tasks: e.Tasks}
		}
	case process.TasksScheduled:
		if n := len(e.Tasks); n > 0 { // another round of a repeat makes them more
			p.step(e.Address, func(s *listedStep) { s.tasks = max(s.tasks, e.Tasks[n-1].End()) })
		}
	case process.TasksConfirmed:
		p.step(e.Address, func(s *listedStep) { s.confirmed += e.Tasks.Len() })
	case process.TasksReused:
		p.reuse(e)
	case process.TasksSkipped:
		p.step(e.Address, func(s *listedStep) { s.skipped.add(e.Tasks) })
	case process.TasksFailed:
		p.Failures += e.Tasks.Len()
	case process.TaskTimedOut:
		p.Failures++
	case process.StepSkipped:
		p.steps[e.Address] = &listedStep{completed: true}
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
		p.step(t.Address, func(s *listedStep) { s.skipped.remove(t.Tasks) })
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
		sum.Reused += s.reused
		sum.Skipped += s.skipped.count()
		if s.completed {
			sum.StepsDone++
		}
	}
	return sum
}
