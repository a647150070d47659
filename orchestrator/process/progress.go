package process

import (
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

// Skip is tasks that a step went on without.
type Skip struct {
	Tasks   task.Ranges `json:"tasks"`
	Element string      `json:"element,omitempty"` // what a single task is about, where that is known
	Reason  string      `json:"reason,omitempty"`  // "" beyond the first hundred
}

// skipReasons is how many reasons are remembered of a step.
const skipReasons = 100

// allSkips lists the skips with their reasons, and after them, as one, those
// whose reasons are not remembered.
func (n *node) allSkips() []Skip {
	var known task.Ranges
	for _, s := range n.skips {
		known = known.Union(s.Tasks)
	}
	if known.Len() >= n.skipped {
		return n.skips
	}
	var all []int
	for i, t := range n.tasks.troubled() {
		if t.stand == skipped {
			all = append(all, i)
		}
	}
	return append(slices.Clip(n.skips), Skip{Tasks: task.Of(all...).Minus(known)})
}

// Progress is how far a step is, for people and views.
type Progress struct {
	Address    string                  `json:"address"`
	Generation int                     `json:"generation,omitempty"`
	Phase      string                  `json:"phase"` // waiting, running, sealing, completed
	Tasks      int                     `json:"tasks"`
	Scheduled  int                     `json:"scheduled"`
	Confirmed  int                     `json:"confirmed"`
	Reused     int                     `json:"reused,omitempty"` // of the confirmed
	Skipped    int                     `json:"skipped,omitempty"`
	Retrying   int                     `json:"retrying,omitempty"`
	Failures   int                     `json:"failures,omitempty"`
	Losses     int                     `json:"losses,omitempty"`
	Elapsed    task.Duration           `json:"elapsed,omitempty"` // execution time, summed over tasks
	StartedAt  time.Time               `json:"startedAt,omitzero"`
	EndedAt    time.Time               `json:"endedAt,omitzero"`
	Data       map[string]task.Dataset `json:"data,omitempty"`
	Skips      []Skip                  `json:"skips,omitempty"`
	Unmet      string                  `json:"unmet,omitempty"`    // the condition that did not hold: the step was skipped
	Children   bool                    `json:"children,omitempty"` // its tasks are processes of their own
	Rounds     int                     `json:"rounds,omitempty"`   // of a step that repeats its child: at most so many
}

var phases = [...]string{waiting: "waiting", running: "running", sealing: "sealing", completed: "completed"}

// Steps lists the steps in the order of the definition.
func (s State) Steps() []Progress {
	var steps []Progress
	for i, n := range s.nodes {
		step, ok := s.graph.step(i)
		if !ok {
			break
		}
		p := n.progress(step.Address)
		p.Children = step.Process != nil
		if step.Repeat != nil {
			p.Rounds = step.Repeat.Max
		}
		steps = append(steps, p)
	}
	return steps
}

func (n *node) progress(address string) Progress {
	return Progress{
		Address: address, Generation: n.generation, Phase: phases[n.phase], Tasks: n.total, Scheduled: n.scheduled,
		Confirmed: n.confirmed, Skipped: n.skipped, Retrying: n.retrying, Failures: n.failures, Losses: n.losses,
		Elapsed: task.Duration(n.elapsed), StartedAt: n.startedAt, EndedAt: n.endedAt, Data: n.sealed, Skips: n.allSkips(),
		Reused: n.reused, Unmet: n.unmet,
	}
}
