package dryrun

import (
	"fmt"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// recorded is what an earlier run tells of the steps of a process.
type recorded struct {
	state    *process.State
	child    func(id string) (process.State, error)
	steps    map[string]process.Progress
	children map[string]*recorded // by step, once they are looked at
}

func recordedIn(s *process.State, child func(id string) (process.State, error)) *recorded {
	r := &recorded{child: child, steps: map[string]process.Progress{}, children: map[string]*recorded{}}
	if s == nil || s.Definition == nil {
		return r
	}
	r.state = s
	for _, p := range s.Steps() {
		if p.Confirmed > 0 {
			r.steps[p.Address] = p
		}
	}
	return r
}

// below is what is recorded of the first child of a step, by which all are planned.
func (r *recorded) below(address string) (*recorded, error) {
	if r.children[address] == nil {
		s, err := r.firstChild(address)
		if err != nil {
			return nil, err
		}
		r.children[address] = recordedIn(s, r.child)
	}
	return r.children[address], nil
}

// firstChild is the state of the first child of a step; nil: nothing is known of it.
func (r *recorded) firstChild(address string) (*process.State, error) {
	p, known := r.steps[address]
	if r.state == nil || r.child == nil || !known {
		return nil, nil
	}
	root := r.state.ID
	if r.state.Parent != nil {
		root = r.state.Parent.Root
	}
	s, err := r.child(process.ChildID(process.Parent{Process: r.state.ID, Address: address, Generation: p.Generation, Attempt: 1, Root: root}))
	return &s, err
}

// shape is what the tasks of a step write to a name.
type shape struct {
	parts  float64  // a task
	bytes  float64  // a part; negative: as much as the task reads, in all
	keys   []string // that the parts are shared among; nil: that of the element
	ratio  float64  // of what is written to what is read; 0: bytes says it
	source Source
}

// shapeOf is the best that is known of what a step writes to a name.
func (w *walk) shapeOf(step definition.Step, out definition.Output, r *recorded) shape {
	if a, ok := w.options.Assume[out.Data]; ok {
		return shape{parts: a.Parts, bytes: a.Bytes, source: Assumed}
	}
	p, known := r.steps[step.Address]
	data, wrote := p.Data[out.Data]
	if !known || !wrote || p.Confirmed == 0 {
		return shape{parts: 1, bytes: -1, source: Guessed}
	}
	s := shape{parts: float64(data.Count) / float64(p.Confirmed), source: Recorded}
	if data.Count > 0 {
		s.bytes = float64(data.Bytes) / float64(data.Count)
	}
	if read := r.read(step, p.Confirmed); read > 0 {
		s.ratio = float64(data.Bytes) / float64(read)
	}
	if data.Keys != r.keysRead(step, p.Confirmed) {
		s.keys = keyNames(data)
	}
	return s
}

// keyNames is the distinct keys of recorded data: as they were, so that joins with
// other data find them again, or made up if they are too many to be listed.
func keyNames(data task.Dataset) []string {
	names := data.KeyNames
	if len(names) == 0 {
		for _, r := range runsOf(data.Parts) {
			names = append(names, r.key)
		}
	}
	if len(names) == data.Keys {
		return names
	}
	names = make([]string, data.Keys)
	for i := range names {
		names[i] = fmt.Sprintf("%08d", i)
	}
	return names
}

// read is how many bytes the tasks of a step read, all together.
func (r *recorded) read(step definition.Step, tasks int) int64 {
	var read int64
	if step.Each != nil {
		data, _ := r.state.Data(step.Each.Data)
		read += data.Bytes
		for _, b := range step.Each.With {
			data, _ := r.state.Data(b.Data)
			read += data.Bytes
		}
	}
	for _, b := range step.In {
		data, _ := r.state.Data(b.Data)
		read += data.Bytes * int64(tasks)
	}
	return read
}

// keysRead is how many distinct keys the elements of a step have, which what it
// writes inherits.
func (r *recorded) keysRead(step definition.Step, tasks int) int {
	switch {
	case step.Each == nil || step.Each.Into > 0:
		return 1 // none: no key is one, too
	case step.Each.ByKey:
		return tasks
	}
	data, _ := r.state.Data(step.Each.Data)
	return data.Keys
}

// took is how long a task of the step executes.
func (r *recorded) took(address string) task.Duration {
	p := r.steps[address]
	if ran := p.Confirmed - p.Reused; ran > 0 {
		return p.Elapsed / task.Duration(ran)
	}
	return 0
}
