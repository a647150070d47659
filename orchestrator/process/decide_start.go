package process

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/definition"
)

// maxTrace is the longest traceparent that is kept; the version there is now has 55 characters.
const maxTrace = 128

// start begins a process that is not there yet; the same start again changes nothing.
func (d *decision) start(c StartProcess) error {
	if d.graph != nil {
		return startAgain(d.State, c)
	}
	if err := checkStart(c); err != nil {
		return &RefusedError{Process: c.ID, Reason: err.Error()}
	}
	if len(c.Trace) > maxTrace { // nothing depends on it: better none than a process refused
		c.Trace = ""
	}
	d.emit(ProcessStarted{
		ID: c.ID, Definition: c.Definition, Hash: c.Definition.Hash(), Inputs: c.Inputs, Trace: c.Trace, Parent: c.Parent, Asked: c.Asked, At: c.At,
	})
	if d.damaged == nil {
		d.advanceAll()
	}
	if d.damaged != nil { // it was not started, so there is nothing that stands still
		return &RefusedError{Process: c.ID, Reason: d.damaged.Error()}
	}
	return nil
}

// startAgain refuses the start of a process that exists, unless it is the same.
func startAgain(s State, c StartProcess) error {
	if s.Parent != nil && c.Parent != nil && *s.Parent == *c.Parent {
		return nil // its parent may have been revised since: those that were started keep what they have
	}
	if c.Definition.Hash() == s.Hash { // what it was revised to is as good as what it began with
		s.Original = s.Definition
	}
	if differs := differences(s, c); len(differs) > 0 {
		return &RefusedError{
			Process: s.ID, Differs: differs,
			Reason: "it exists and is another job; choose another ID or give the same definition, inputs and parameters",
		}
	}
	return nil
}

// differences lists how a start differs from the process that has its ID.
func differences(s State, c StartProcess) []string {
	differs := definition.Diff(*s.Original, c.Definition)
	for _, name := range slices.Sorted(maps.Keys(c.Inputs)) {
		was, given := s.Inputs[name]
		if given && was.Digest != c.Inputs[name].Digest {
			differs = append(differs, fmt.Sprintf("input %s: other content (%s now, %s then)", name,
				amount.Of(c.Inputs[name].Count, "part"), amount.Of(was.Count, "part")))
		}
	}
	return differs
}

func checkStart(c StartProcess) error {
	if err := CheckID(c.ID); err != nil {
		return err
	}
	if slices.Contains(folders, c.ID) {
		return fmt.Errorf("%q is the name of a folder of the blob store, in which the data of the process would lie among others': choose another ID", c.ID)
	}
	if err := checkParent(c); err != nil {
		return err
	}
	if _, err := newGraph(&c.Definition); err != nil {
		return err
	}
	for _, f := range c.Definition.AllFiles() {
		if f.Ref.Elsewhere() {
			return fmt.Errorf("file %q lies elsewhere: what travels with a definition lies in the store", clip(f.Name, 100))
		}
	}
	for _, name := range c.Definition.Inputs {
		d, given := c.Inputs[name]
		switch {
		case !given:
			return fmt.Errorf("input %q is not given: add --in %s=PATH", name, name)
		case !addsUp(d):
			return fmt.Errorf("input %q says it has %d parts but lists %d", name, d.Count, len(d.Parts))
		}
		for _, p := range d.Parts {
			if p.Ref == nil {
				continue
			}
			if err := p.Ref.Check(); err != nil {
				return fmt.Errorf("input %q: %w", name, err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Inputs)) {
		if !slices.Contains(c.Definition.Inputs, name) {
			return fmt.Errorf("%q is not an input of %s; its inputs are: %s", name, c.Definition.Name, strings.Join(c.Definition.Inputs, ", "))
		}
	}
	return nil
}

// folders are those of the blob store that belong to no process. Blobs of a
// process lie in one of its ID; who goes through snapshots or sweeps would come
// upon them. Earlier versions started processes with these IDs.
var folders = []string{"archives", "inputs", "logs", "renewed", "sha256", "snapshots", "sweeping", "views"}

// CheckID refuses what cannot be the ID of a process.
func CheckID(id string) error {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	if len(id) < 1 || len(id) > 64 || strings.Trim(id, letters) != "" {
		return fmt.Errorf("an ID is 1 to 64 of the characters a-z, 0-9 and -, not %q", clip(id, 100))
	}
	return nil
}
