package process

import (
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// find is the node of a step, or of a merge, by its address; ok is false if there
// is none, or no process yet.
func (s State) find(address string) (i int, n *node, ok bool) {
	if s.graph == nil {
		return 0, nil, false
	}
	if i, ok = s.graph.number[address]; !ok {
		return 0, nil, false
	}
	return i, s.nodes[i], true
}

// Step is what the definition says of a step, as it is now; ok is false if the
// address is none.
func (s State) Step(address string) (step definition.Step, ok bool) {
	i, _, ok := s.find(address)
	if !ok {
		return definition.Step{}, false
	}
	return s.graph.step(i)
}

// Handler is the handler that runs the tasks of a step; "" for a program.
func (s State) Handler(address string) string {
	step, _ := s.Step(address)
	return step.Run.Handler
}

// Timeout is how long one attempt at a task of the step may run; 0: for ever. That
// of a child is its own deadline.
func (s State) Timeout(address string) time.Duration {
	step, _ := s.Step(address)
	if step.Process != nil {
		return 0
	}
	return time.Duration(step.Timeout)
}

// Pool is the pool whose workers execute the tasks of an address; "": those
// without one. Merges are executed where the step is whose lists they merge.
func (s State) Pool(address string) string {
	i, _, ok := s.find(address)
	if !ok {
		return ""
	}
	step, isStep := s.graph.step(i)
	if !isStep {
		step, _ = s.Step(s.graph.writerOf(address))
	}
	return step.Pool
}

// Generation is the generation that the tasks of an address have now; -1 for
// an address that does not exist.
func (s State) Generation(address string) int {
	if _, n, ok := s.find(address); ok {
		return n.generation
	}
	return -1
}

// Scheduled is how many tasks of a step, or of a merge, have been scheduled at
// least once: those from 0 on.
func (s State) Scheduled(address string) int {
	if _, n, ok := s.find(address); ok {
		return n.scheduled
	}
	return 0
}

// Open is the subset of tasks that may still be confirmed: scheduled, at this
// attempt or a later one, in a process that has not ended.
func (s State) Open(address string, generation int, tasks task.Ranges) task.Ranges {
	_, n, ok := s.find(address)
	if !ok || !s.live() || n.generation != generation || n.phase != running {
		return nil
	}
	return n.tasks.open(tasks.Minus(task.Span(n.scheduled, task.MaxIndex+1-n.scheduled)))
}

// Current is those of some open tasks at which an attempt is the one to execute.
func (s State) Current(address string, attempt int, tasks task.Ranges) task.Ranges {
	_, n, ok := s.find(address)
	if !ok {
		return nil
	}
	return n.tasks.current(attempt, tasks)
}

// IsCurrent reports whether an attempt at an open task is the one to execute.
func (s State) IsCurrent(address string, index, attempt int) bool {
	return len(s.Current(address, attempt, task.Span(index, 1))) > 0
}

// Attempt is where a task stands: its current attempt, or the one that is
// planned and when that is due; the zero time: it is not waiting for its time.
// A task that nothing is known of is at attempt 1.
func (s State) Attempt(address string, index int) (attempt int, due time.Time) {
	_, n, ok := s.find(address)
	if !ok || index < 0 {
		return 1, time.Time{}
	}
	t := n.tasks.trouble(index)
	if t.stand == planned {
		due = time.Unix(0, t.due).UTC()
	}
	return t.attempt, due
}

// StepTook is how long a step took that has completed; 0 for any other address.
func (s State) StepTook(address string) time.Duration {
	_, n, ok := s.find(address)
	if !ok || n.phase != completed {
		return 0
	}
	return n.endedAt.Sub(n.startedAt)
}
