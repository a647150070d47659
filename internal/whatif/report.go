package whatif

import (
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Report is what a replay found.
type Report struct {
	Process string   `json:"process"`
	Events  uint64   `json:"events"`  // recorded
	Changes []string `json:"changes"` // in the definition that the process started with

	Divergence *Divergence `json:"divergence"` // null: everything would have happened the same

	// More are tasks that would have been scheduled and were not, Fewer those
	// that were and would not have been. Uncertain were, too, and nobody knows
	// whether they would, because the other world is not known so far.
	More      []Tasks `json:"more,omitempty"`
	Fewer     []Tasks `json:"fewer,omitempty"`
	Uncertain []Tasks `json:"uncertain,omitempty"`

	// Unknown are attempts that would have run and whose results nobody recorded.
	Unknown []Tasks `json:"unknown,omitempty"`

	Retries Retries `json:"retries"`
	LeftOut int     `json:"leftOut,omitempty"` // recorded results of so many tasks mean nothing in the other world

	// Refused are persons' commands that would have been refused, the first of them.
	Refused  []Refusal `json:"refused,omitempty"`
	Refusals int       `json:"refusals,omitempty"` // how many there are

	Recorded End      `json:"recorded"`
	Instead  End      `json:"instead"`
	Notes    []string `json:"notes,omitempty"` // what was taken for granted, and what it does not tell
}

// Divergence is where the two worlds first decide differently.
type Divergence struct {
	Event    uint64        `json:"event"` // number of the recorded event; with Recorded empty, of the one that comes next
	At       time.Time     `json:"at"`
	After    task.Duration `json:"after"`         // since the start of the process
	Recorded []string      `json:"recorded"`      // what happened from there on, by one command
	Instead  []string      `json:"instead"`       // what would have; empty: nothing
	Why      string        `json:"why,omitempty"` // why nothing, where that is known
}

// Tasks are tasks at one attempt.
type Tasks struct {
	Address    string      `json:"address"`
	Generation int         `json:"generation,omitempty"`
	Attempt    int         `json:"attempt"`
	Tasks      task.Ranges `json:"tasks"`
	Why        string      `json:"why,omitempty"` // why recorded results of them, if there are any, do not count
}

// Retries counts the tasks that were scheduled again.
type Retries struct {
	Recorded int `json:"recorded"`
	Instead  int `json:"instead"` // at least, where the other world is not known to its end
}

// Refusal is a person's command that would have been refused.
type Refusal struct {
	Event   uint64 `json:"event"`
	Command string `json:"command"`
	Reason  string `json:"reason"`
}

// End is how far a world is known.
type End struct {
	Status process.Status `json:"status"` // "running": its end is not known
	At     time.Time      `json:"at"`     // when it ended, or until when it is known
	Took   task.Duration  `json:"took"`
	Reason string         `json:"reason,omitempty"`
}

// Report ends the replay. It is to be called once, after the last event.
func (r *Replay) Report() (Report, error) {
	if err := r.finish(); err != nil {
		return Report{}, err
	}
	was, would := r.was.state, r.would.state
	report := Report{
		Process: was.ID, Events: r.events, Changes: append([]string{}, definition.Diff(*was.Original, *would.Original)...), Divergence: r.divergence,
		More: r.would.ran.without(&r.ran), Retries: Retries{Recorded: r.ran.retries, Instead: r.would.ran.retries},
		LeftOut: r.leftOut + r.would.shelf.tasks, Refused: r.refused, Refusals: r.refusals,
		Recorded: endOf(was, r.was.known), Instead: endOf(would, r.would.now), Notes: r.notes.lines(r),
	}
	if r.divergence == nil {
		return report, nil
	}
	r.sort(&report)
	r.unknown(&report)
	return report, nil
}

func endOf(s process.State, known time.Time) End {
	e := End{Status: s.Status, At: known, Reason: s.Reason()}
	if s.Ended() {
		e.At = s.EndedAt
	}
	e.Took = task.Duration(e.At.Sub(s.StartedAt))
	return e
}

// sort tells what would not have run from what may run yet.
func (r *Replay) sort(report *Report) {
	s := r.would.state
	for _, t := range r.ran.without(&r.would.ran) {
		var open task.Ranges
		if generation := s.Generation(t.Address); r.would.live() && generation >= 0 {
			open = t.Tasks
			if generation == t.Generation {
				reached := t.Tasks.Minus(t.Tasks.Minus(task.Span(0, s.Scheduled(t.Address))))
				open = t.Tasks.Minus(reached.Minus(s.Open(t.Address, generation, t.Tasks)))
			}
		}
		if over := t.Tasks.Minus(open); len(over) > 0 {
			report.Fewer = append(report.Fewer, Tasks{Address: t.Address, Generation: t.Generation, Attempt: t.Attempt, Tasks: over})
		}
		if len(open) > 0 {
			t.Tasks = open
			report.Uncertain = append(report.Uncertain, t)
		}
	}
}

// unknown lists what the other world waits for and the recorded one does not.
func (r *Replay) unknown(report *Report) {
	theirs := map[run]task.Ranges{}
	for _, t := range outstanding(r.was.state) {
		theirs[run{t.Address, t.Generation, t.Attempt}] = t.Tasks
	}
	for _, t := range outstanding(r.would.state) {
		t.Tasks = t.Tasks.Minus(theirs[run{t.Address, t.Generation, t.Attempt}])
		if len(t.Tasks) == 0 || isMerge(t.Address) {
			continue
		}
		if t.Why = r.work[t.Address]; t.Why == "" {
			t.Why = r.data[t.Address]
		}
		report.Unknown = append(report.Unknown, t)
	}
	sortTasks(report.Unknown)
}
