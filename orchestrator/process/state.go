package process

import (
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// Status is where a process stands.
type Status string

// The statuses of a process. The zero status is that of a process nobody started.
const (
	Running   Status = "running"
	Paused    Status = "paused" // nothing is scheduled; results count
	Completed Status = "completed"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
)

// State is what a history folds to. The zero State is that of a process that
// nobody started.
type State struct {
	ID         string
	Version    uint64 // events folded
	Status     Status
	Definition *definition.Definition // that holds now
	Hash       string                 // of that
	Original   *definition.Definition // that it started with
	Inputs     map[string]task.Dataset
	StartedAt  time.Time
	Submitted  Asked     // who started it, and why; nobody is named in histories of versions that did not ask
	Trace      string    // W3C traceparent that all of it belongs to; "": none
	Parent     *Parent   // of a child; nil: it has none
	SetOffAt   time.Time // when it started, or a person last made it go again: the deadline counts from here
	EndedAt    time.Time
	Failure    *ProcessFailed
	Cancel     *ProcessCancelled
	Pause      *ProcessPaused // while it is paused

	graph    *graph
	nodes    []*node        // by number: steps, then seals
	left     int            // steps that have not completed
	retired  map[string]int // by address, of nodes that a revision took out: the generation it would have next
	commands []string       // IDs of persons' commands that were granted, the latest last
	damaged  error          // the first event that made no sense
}

// phase is where a node stands.
type phase uint8

const (
	waiting phase = iota // for what it reads
	running
	sealing // all tasks confirmed; the lists of what it wrote are being merged
	completed
)

// node is the state of a step, or of the merge of a name.
type node struct {
	owner *token

	phase      phase
	generation int
	needs      int // steps it still waits for
	total      int // tasks
	scheduled  int // tasks 0 to scheduled-1 were scheduled at least once
	confirmed  int
	skipped    int
	retrying   int // waiting for the timer of a planned retry
	failures   int
	losses     int
	elapsed    time.Duration // execution time of confirmed tasks
	startedAt  time.Time
	endedAt    time.Time
	tasks      ledger

	skips []Skip // the first hundred; the ledger knows all. Never appended to in place

	last   map[string]task.Dataset // of a step that repeats its child: what the latest round wrote, by output of the child
	over   bool                    // of such a step: no further round is needed
	unmet  string                  // the condition that did not hold, so that the step was skipped
	reused int                     // of the confirmed tasks: those whose results are those of earlier ones

	gathered *gathered               // what confirmed tasks wrote, newest first
	sealed   map[string]task.Dataset // by name, from StepCompleted on

	levels []int          // seals: the first task of each round of merges
	merged []task.Dataset // seals: results by task
}

// closed is how many tasks are confirmed or skipped.
func (n *node) closed() int { return n.confirmed + n.skipped }

// Damage is the first event of the history that made no sense, as an error; nil
// for a sound history. A damaged process refuses commands.
func (s State) Damage() error { return s.damaged }

// Ended reports whether the process has completed, failed or been cancelled.
func (s State) Ended() bool {
	return s.Status == Completed || s.Status == Failed || s.Status == Cancelled
}

// live reports whether results count.
func (s State) live() bool { return s.Status == Running || s.Status == Paused }

// Reason is why a process failed, was cancelled or is paused; "" for others.
func (s State) Reason() string {
	switch {
	case s.Failure != nil:
		return s.Failure.String()
	case s.Cancel != nil:
		return s.Cancel.String()
	case s.Pause != nil:
		return s.Pause.String()
	}
	return ""
}

// Deadline is when the process has to have ended; the zero time: never.
func (s State) Deadline() time.Time {
	if s.Definition == nil || s.Definition.Deadline <= 0 {
		return time.Time{}
	}
	return s.SetOffAt.Add(time.Duration(s.Definition.Deadline))
}

// Data is the sealed dataset of a name; ok is false while it is not sealed.
func (s State) Data(name string) (d task.Dataset, ok bool) {
	if s.graph == nil {
		return task.Dataset{}, false
	}
	if w, written := s.graph.writer[name]; written {
		d, ok = s.nodes[w].sealed[name]
		return d, ok
	}
	d, ok = s.Inputs[name]
	return d, ok
}
