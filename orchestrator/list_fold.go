package orchestrator

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
)

// listed is a process in the making of a list, as it is stored, too. It counts by
// step, since steps may begin anew; all it keeps by task is which were skipped.
type listed struct {
	Summary
	Version uint64                `json:"version"`
	Removed bool                  `json:"removed,omitempty"` // kept, so that what came before does not bring it back
	Started map[string]listedStep `json:"started,omitempty"` // by address
}

type listedStep struct {
	Tasks     int   `json:"tasks"`
	Confirmed int   `json:"confirmed,omitempty"`
	Reused    int   `json:"reused,omitempty"` // of the confirmed
	Skipped   marks `json:"skipped,omitempty"`
	Completed bool  `json:"completed,omitempty"`
}

func newListed(s Summary) *listed { return &listed{Summary: s, Started: map[string]listedStep{}} }

// take takes in a record, one of the shell or an event of the process.
func (p *listed) take(e events.Event) error {
	switch e.Type {
	case archivedType:
		return p.archive(e.Data)
	case removedType:
		*p = *newListed(Summary{ID: p.ID})
		p.Removed = true
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
	*p = *newListed(archived.Summary)
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
			p.Started[e.Address] = listedStep{Tasks: e.Tasks}
		}
	case process.TasksScheduled:
		if n := len(e.Tasks); n > 0 { // another round of a repeat makes them more
			p.step(e.Address, func(s *listedStep) { s.Tasks = max(s.Tasks, e.Tasks[n-1].End()) })
		}
	case process.TasksConfirmed:
		p.step(e.Address, func(s *listedStep) { s.Confirmed += e.Tasks.Len() })
	case process.TasksReused:
		p.reuse(e)
	case process.TasksSkipped:
		p.step(e.Address, func(s *listedStep) { s.Skipped.add(e.Tasks) })
	case process.TasksFailed:
		p.Failures += e.Tasks.Len()
	case process.TaskTimedOut:
		p.Failures++
	case process.StepSkipped:
		p.Started[e.Address] = listedStep{Completed: true}
	case process.StepCompleted:
		p.step(e.Address, func(s *listedStep) { s.Completed = true })
	case process.ProcessCompleted:
		p.Status, p.EndedAt, p.Reason = process.Completed, e.At, ""
	case process.ProcessFailed:
		p.Status, p.EndedAt, p.Reason = process.Failed, e.At, e.String()
	default:
		p.byPerson(event)
	}
}

// mostUses is how many processes a summary names whose results one took.
const mostUses = 100

// reuse counts tasks that took results of equal ones.
func (p *listed) reuse(e process.TasksReused) {
	p.step(e.Address, func(s *listedStep) {
		s.Confirmed += e.Tasks.Len()
		s.Reused += e.Tasks.Len()
	})
	for _, origin := range e.Origins {
		id := origin.Attempt.Process
		if id != p.ID && len(p.Uses) < mostUses && !slices.Contains(p.Uses, id) {
			p.Uses = append(slices.Clip(p.Uses), id)
		}
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
		for address := range p.Started {
			if !there[address] {
				delete(p.Started, address)
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
		p.step(t.Address, func(s *listedStep) { s.Skipped.remove(t.Tasks) })
	}
}

func (p *listed) begin(steps []process.Begun) {
	for _, b := range steps {
		if !b.Keep {
			delete(p.Started, b.Address)
			continue
		}
		p.step(b.Address, func(s *listedStep) { s.Completed = false })
	}
}

// step changes the counts of a step. Merges of lists are none.
func (p *listed) step(address string, change func(*listedStep)) {
	if s, started := p.Started[address]; started {
		change(&s)
		p.Started[address] = s
	}
}

// summary adds up the steps.
func (p *listed) summary() Summary {
	sum := p.Summary
	for _, s := range p.Started {
		sum.Tasks += s.Tasks
		sum.TasksDone += s.Confirmed
		sum.Reused += s.Reused
		sum.Skipped += s.Skipped.count()
		if s.Completed {
			sum.StepsDone++
		}
	}
	return sum
}
