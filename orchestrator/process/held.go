package process

import (
	"maps"
	"slices"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// Held is what a state refers to of all that was written: whatever else a
// process wrote it never asks for again, however it goes on.
type Held struct {
	Files    []task.Ref     // that travel with the definitions
	Data     []task.Dataset // inputs, sealed names, merges of lists
	Reported []task.Source  // of steps that have not completed, or may go back for more
}

// Held is what the state refers to.
func (s State) Held() Held {
	var h Held
	for _, d := range []*definition.Definition{s.Original, s.Definition} {
		if d == nil {
			continue
		}
		for _, f := range d.AllFiles() {
			h.Files = append(h.Files, f.Ref)
		}
	}
	h.Data = slices.AppendSeq(h.Data, maps.Values(s.Inputs))
	for _, n := range s.nodes {
		h.Data = slices.AppendSeq(h.Data, maps.Values(n.sealed))
		h.Data = append(h.Data, n.merged...)
		h.Reported = append(h.Reported, n.sources()...)
	}
	return h
}
