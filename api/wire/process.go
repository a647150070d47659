package wire

import (
	"encoding/json"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Process is where a process stands, or stood: what `deed show -o json` prints.
type Process struct {
	ID         string                  `json:"id"`
	Name       string                  `json:"name"`
	Definition string                  `json:"definitionVersion,omitempty"`
	Hash       string                  `json:"definitionHash"`
	Status     process.Status          `json:"status"`
	Reason     string                  `json:"reason,omitempty"`
	Events     uint64                  `json:"events"`
	StartedAt  time.Time               `json:"startedAt"`
	StartedBy  string                  `json:"startedBy,omitempty"`
	Trace      string                  `json:"trace,omitempty" doc:"W3C traceparent of who submitted it, that all of it belongs to."`
	EndedAt    time.Time               `json:"endedAt,omitzero"`
	Inputs     map[string]task.Dataset `json:"inputs,omitempty"`
	Steps      []process.Progress      `json:"steps"`
	Skipped    []Skipped               `json:"skipped,omitempty"`
	Deadline   time.Time               `json:"deadline,omitzero"`
	Outputs    map[string]task.Dataset `json:"outputs,omitempty"`
	Damage     string                  `json:"damage,omitempty"`
}

// Skipped is tasks that a step went on without.
type Skipped struct {
	Address  string      `json:"address"`
	Tasks    task.Ranges `json:"tasks"`
	Elements []string    `json:"elements,omitempty"` // what they are about, of the first few, where that is known
	Reason   string      `json:"reason,omitempty"`
}

// mostElements is how many tasks are named one by one.
const mostElements = 5

// ProcessOf shows a state.
func ProcessOf(s process.State) Process {
	p := Process{
		ID: s.ID, Hash: s.Hash, Status: s.Status, Events: s.Version,
		StartedAt: s.StartedAt, StartedBy: s.Submitted.By, Trace: s.Trace, EndedAt: s.EndedAt,
		Inputs: s.Inputs, Steps: s.Steps(), Skipped: SkippedOf(s), Outputs: map[string]task.Dataset{},
		Reason: s.Reason(), Deadline: s.Deadline(),
	}
	if err := s.Damage(); err != nil {
		p.Damage = err.Error()
	}
	if s.Definition != nil {
		p.Name, p.Definition = s.Definition.Name, s.Definition.Version
		for _, name := range s.Definition.Outputs {
			if d, ok := s.Data(name); ok {
				p.Outputs[name] = d
			}
		}
	}
	return p
}

// SkippedOf lists the tasks that steps went on without.
func SkippedOf(s process.State) []Skipped {
	var all []Skipped
	for _, p := range s.Steps() {
		for _, skip := range p.Skips {
			all = append(all, Skipped{Address: p.Address, Tasks: skip.Tasks, Elements: Elements(s, p.Address, skip.Tasks), Reason: skip.Reason})
		}
	}
	return all
}

// Elements names what the first few of some tasks are about; nil if that is not
// known of one of them.
func Elements(s process.State, address string, tasks task.Ranges) []string {
	var names []string
	for index := range tasks.All() {
		if len(names) == mostElements {
			break
		}
		name := s.Element(address, index)
		if name == "" {
			return nil
		}
		names = append(names, name)
	}
	return names
}

// Standing is where a process stands, in short: what a watch says after each of
// its commits.
type Standing struct {
	ID      string         `json:"id"`
	Status  process.Status `json:"status"`
	Reason  string         `json:"reason,omitempty"`
	Events  uint64         `json:"events"`
	EndedAt time.Time      `json:"endedAt,omitzero"`
	Steps   []StepStanding `json:"steps"`
}

// StepStanding is how far a step is.
type StepStanding struct {
	Address    string `json:"address"`
	Generation int    `json:"generation,omitempty"`
	Phase      string `json:"phase"`
	Tasks      int    `json:"tasks"`
	Confirmed  int    `json:"confirmed"`
	Reused     int    `json:"reused,omitempty" doc:"Of the confirmed: those that took the result of an equal task."`
	Skipped    int    `json:"skipped,omitempty"`
	Retrying   int    `json:"retrying,omitempty"`
	Failures   int    `json:"failures,omitempty"`
	Losses     int    `json:"losses,omitempty"`
}

// StandingOf is a state in short.
func StandingOf(s process.State) Standing {
	short := Standing{ID: s.ID, Status: s.Status, Reason: s.Reason(), Events: s.Version, EndedAt: s.EndedAt, Steps: []StepStanding{}}
	for _, p := range s.Steps() {
		short.Steps = append(short.Steps, StepStanding{
			Address: p.Address, Generation: p.Generation, Phase: p.Phase, Tasks: p.Tasks, Confirmed: p.Confirmed, Reused: p.Reused,
			Skipped: p.Skipped, Retrying: p.Retrying, Failures: p.Failures, Losses: p.Losses,
		})
	}
	return short
}

// Ended reports whether the process has ended.
func (s Standing) Ended() bool {
	return s.Status == process.Completed || s.Status == process.Failed || s.Status == process.Cancelled
}

// Event is an event as it is stored.
type Event struct {
	Version uint64          `json:"version"`
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Schema  int             `json:"schema"`
	Data    json.RawMessage `json:"data"`
}
