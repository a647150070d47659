package dryrun

import (
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// recorded is what an earlier run tells of the steps of a process.
type recorded struct {
	state *process.State
	child func(id string) (process.State, error)
	steps map[string]process.Progress
}

func recordedIn(s *process.State, child func(id string) (process.State, error)) *recorded {
	r := &recorded{child: child, steps: map[string]process.Progress{}}
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

// below is what is recorded of the first child of a step.
func (r *recorded) below(address string) *recorded {
	none := recordedIn(nil, r.child)
	p, known := r.steps[address]
	if r.state == nil || r.child == nil || !known {
		return none
	}
	root := r.state.ID
	if r.state.Parent != nil {
		root = r.state.Parent.Root
	}
	id := process.ChildID(process.Parent{Process: r.state.ID, Address: address, Generation: p.Generation, Attempt: 1, Root: root})
	s, err := r.child(id)
	if err != nil || s.Definition == nil {
		return none
	}
	return recordedIn(&s, r.child)
}

// shape is what the tasks of a step write to a name.
type shape struct {
	parts  float64 // a task
	bytes  float64 // a part; negative: as much as the task reads, in all
	keys   int     // that the parts are shared among; 0: that of the element
	ratio  float64 // of what is written to what is read; 0: bytes says it
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
	if step.Each == nil || data.Keys != r.keysRead(step) {
		s.keys = data.Keys
	}
	return s
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

func (r *recorded) keysRead(step definition.Step) int {
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
