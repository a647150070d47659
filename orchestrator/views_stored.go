package orchestrator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// viewSchema is the form of stored views and the meaning of what is in them.
// It rises when either changes, also when the list counts something in another
// way: what was stored before is then passed over.
const viewSchema = 2

// storedView is the bytes of the list of processes, with the place that it has
// read up to: together, so that neither is ever ahead of the other.
type storedView struct {
	View      string         `json:"view"`
	Schema    int            `json:"schema"`
	StoredAt  time.Time      `json:"storedAt"`
	Place     place          `json:"place"`
	Processes []storedListed `json:"processes"` // by ID
}

type storedListed struct {
	Summary
	Version uint64                `json:"version"`
	Removed bool                  `json:"removed,omitempty"`
	Started map[string]storedStep `json:"started,omitempty"` // by address
}

type storedStep struct {
	Tasks     int    `json:"tasks"`
	Confirmed int    `json:"confirmed,omitempty"`
	Reused    int    `json:"reused,omitempty"`
	Skipped   []byte `json:"skipped,omitempty"`
	Completed bool   `json:"completed,omitempty"`
}

func (p *listed) stored() storedListed {
	s := storedListed{Summary: p.Summary, Version: p.version, Removed: p.removed}
	if len(p.steps) > 0 {
		s.Started = make(map[string]storedStep, len(p.steps))
	}
	for address, step := range p.steps {
		s.Started[address] = storedStep{Tasks: step.tasks, Confirmed: step.confirmed, Reused: step.reused, Skipped: step.skipped.bytes(), Completed: step.completed}
	}
	return s
}

func (s storedListed) listed() (*listed, error) {
	p := &listed{Summary: s.Summary, version: s.Version, removed: s.Removed, steps: make(map[string]*listedStep, len(s.Started))}
	for address, step := range s.Started {
		skipped, err := marksOf(step.Skipped)
		if err != nil {
			return nil, fmt.Errorf("process %q: step %q: %w", clipID(s.ID), address, err)
		}
		p.steps[address] = &listedStep{tasks: step.Tasks, confirmed: step.Confirmed, reused: step.Reused, skipped: skipped, completed: step.Completed}
	}
	return p, nil
}

// stored lists what the list holds, by ID.
func (l *list) stored() []storedListed {
	all := make([]storedListed, 0, len(l.byID))
	for _, p := range l.byID {
		all = append(all, p.stored())
	}
	slices.SortFunc(all, func(a, b storedListed) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// encode is the sealed bytes of the list.
func (l *list) encode(now time.Time) ([]byte, error) {
	body, err := json.Marshal(storedView{View: processesView, Schema: viewSchema, StoredAt: now.UTC(), Place: l.at, Processes: l.stored()})
	if err != nil {
		return nil, fmt.Errorf("encode the list of processes: %w", err)
	}
	return seal(l.at.Commit, body), nil
}

// decodeView reads what encode wrote, and nothing else.
func decodeView(data []byte) (storedView, map[string]*listed, error) {
	var v storedView
	commitID, body, err := unseal(data)
	if err != nil {
		return v, nil, err
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, nil, fmt.Errorf("it cannot be read: %w", err)
	}
	if v.View != processesView || v.Schema != viewSchema || v.Place.Commit != commitID {
		return v, nil, fmt.Errorf("it is the view %q of schema %d, this version of deed reads %q of schema %d", clipID(v.View), v.Schema, processesView, viewSchema)
	}
	byID := make(map[string]*listed, len(v.Processes))
	for _, s := range v.Processes {
		if byID[s.ID], err = s.listed(); err != nil {
			return v, nil, err
		}
	}
	return v, byID, nil
}
