// Package dryrun walks a definition through the real core as if every task
// succeeded: what is scheduled, how many tasks there are and how much they read
// follow from the rules of the core, and only what tasks would write is a guess.
// Nothing is executed, stored or sent.
//
//	plan, err := dryrun.Run(ctx, start, dryrun.Options{})
//
// Conditions and the ends of repeats that depend on values nobody has written yet
// are left open: a step is planned as if its condition held, a repeat with such an
// end as one round, and both are marked.
package dryrun

import (
	"context"
	"errors"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// MaxParts is the most parts that a plan holds: they are in memory.
const MaxParts = 20_000_000

// ErrTooLarge says that a plan would hold more than MaxParts.
var ErrTooLarge = errors.New("the plan would list more than 20,000,000 parts: plan a part of the inputs")

// Options are what a plan knows beyond the definition and its inputs; the zero
// value knows nothing.
type Options struct {
	// Assume says what each task writes to a name of data, of whatever process.
	Assume map[string]Output

	// Recorded is an earlier run of the same definition, from which it is known what
	// tasks write; nil: there is none. Child is the state of one of its children.
	Recorded *process.State
	Child    func(id string) (process.State, error)

	// Look finds what an equal task wrote to the outputs of the one task of a message;
	// ok is false if there is none. nil: nothing is reused.
	Look func(w task.Work) (parts []task.Produced, ok bool)
}

// Output is what a task writes to a name.
type Output struct {
	Parts float64 `json:"parts"` // a task
	Bytes float64 `json:"bytes"` // a part
}

// Source says how the size of what a step writes is known.
type Source string

// The sources, the best first.
const (
	Assumed  Source = "assumed"
	Recorded Source = "recorded"
	Guessed  Source = "guessed" // one part a task, as large as what it reads
)

// Plan is what a process would do.
type Plan struct {
	Steps  []*Step `json:"steps"`            // in the order of the definition
	Failed string  `json:"failed,omitempty"` // why it would fail
}

// Step is what a step would do; of the children of a step, all of them together.
type Step struct {
	Address string `json:"address"`
	Tasks   int    `json:"tasks"`
	Reused  int    `json:"reused,omitempty"` // tasks whose results are there already
	Maybe   int    `json:"maybe,omitempty"`  // tasks that may be reused: what they read is not known yet
	Merges  int    `json:"merges,omitempty"` // tasks that merge the lists of what it writes
	Read    int64  `json:"read"`             // bytes, by the tasks that are executed
	Written int64  `json:"written"`          // bytes
	Parts   int    `json:"parts"`            // written
	Sizes   Source `json:"sizes,omitempty"`  // of what it writes; "": it writes nothing

	// Took is how long its tasks would execute, together, as recorded; 0: nobody knows.
	Took task.Duration `json:"took,omitempty"`

	When    string `json:"when,omitempty"`    // its condition, if that cannot be told yet
	Skipped bool   `json:"skipped,omitempty"` // its condition does not hold
	Rounds  int    `json:"rounds,omitempty"`  // of a repeat: at most so many, of which one is planned
	Child   *Plan  `json:"child,omitempty"`   // what its children do, all together
}

// Total adds up the plan, with all children: the tasks that workers would execute
// or take from earlier ones, which children themselves are not.
func (p *Plan) Total() Step {
	var sum Step
	for _, s := range p.Steps {
		if s.Child != nil {
			child := s.Child.Total()
			sum.add(&child)
			continue
		}
		sum.add(s)
	}
	return sum
}

func (s *Step) add(other *Step) {
	s.Tasks += other.Tasks
	s.Reused += other.Reused
	s.Maybe += other.Maybe
	s.Merges += other.Merges
	s.Read += other.Read
	s.Written += other.Written
	s.Parts += other.Parts
	s.Took += other.Took
}

// Run plans the process that a command would start. Its inputs list all their
// parts: none is in a manifest. A start that the core refuses is a
// *process.RefusedError.
func Run(ctx context.Context, start process.StartProcess, o Options) (*Plan, error) {
	lists := newLists()
	for name, data := range start.Inputs {
		start.Inputs[name] = lists.of(data.Parts)
	}
	w := &walk{stopped: ctx.Err, options: o, lists: lists, recorded: recordedIn(o.Recorded, o.Child)}
	plan, _, err := w.process(start)
	return plan, err
}
