package process

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/task"
)

// Effect is work for the shell, to be performed after the events are stored.
// Every effect may be performed twice; what comes of it is decided on again.
type Effect interface {
	effect()
	fmt.Stringer
}

// Enqueue wants tasks to be sent to the work queue; see Message.
type Enqueue struct {
	Address    string
	Generation int
	Attempt    int
	Tasks      task.Ranges
}

// StartChildren wants the children of these tasks to be started; see Child. A
// start that is repeated makes a child say how it stands. Those whose process is
// to stop, pause or go on are what State.Children lists.
type StartChildren Enqueue

// TellParent wants the parent to be told how this child stands; see State.Outcome.
type TellParent struct{}

// SetTimer wants a FireTimer for these tasks at Due.
type SetTimer struct {
	Due        time.Time
	Address    string
	Generation int
	Attempt    int
	Tasks      task.Ranges
}

// SetDeadline wants a FireDeadline at Due.
type SetDeadline struct{ Due time.Time }

// Halt wants everything of the process off the queue, and what runs cancelled:
// all of it, or, with Before, only tasks of these addresses at lower
// generations. What is still wanted is asked for anew by the effects after it.
type Halt struct{ Before map[string]int }

// Withhold wants everything of the process off the queue; what runs goes on.
type Withhold struct{}

func (Enqueue) effect()       {}
func (StartChildren) effect() {}
func (TellParent) effect()    {}
func (SetTimer) effect()      {}
func (SetDeadline) effect()   {}
func (Halt) effect()          {}
func (Withhold) effect()      {}

func (e Enqueue) String() string {
	return fmt.Sprintf("to the work queue: %s, attempt %d", subject(e.Address, e.Tasks), e.Attempt)
}

func (e StartChildren) String() string {
	return fmt.Sprintf("to the children: start those of %s, attempt %d", subject(e.Address, e.Tasks), e.Attempt)
}

func (TellParent) String() string { return "to the parent: how this child stands" }

func (e SetTimer) String() string {
	return fmt.Sprintf("to the timers: retry %s as attempt %d at %s", subject(e.Address, e.Tasks), e.Attempt, e.Due.Format(time.TimeOnly))
}

func (e SetDeadline) String() string {
	return fmt.Sprintf("to the timers: the deadline at %s", e.Due.Format(time.TimeOnly))
}

func (e Halt) String() string {
	if e.Before == nil {
		return "to the work queue: drop what is waiting; to the workers: stop what runs"
	}
	if len(e.Before) == 0 {
		return "to the work queue: drop what is waiting"
	}
	stale := ""
	for i, address := range slices.Sorted(maps.Keys(e.Before)) {
		stale += map[bool]string{true: ", ", false: ": "}[i > 0] + fmt.Sprintf("%s before generation %d", address, e.Before[address])
	}
	return "to the work queue: drop what is waiting; to the workers: stop what is out of date" + stale
}

func (Withhold) String() string { return "to the work queue: drop what is waiting" }

// React says what an event asks of the shell. The state is the one after the event.
func React(s State, e Event) []Effect {
	effects := s.react(e)
	switch e.(type) {
	case ProcessStarted, ProcessCompleted, ProcessFailed, ProcessCancelled, ProcessRetried, ProcessRestarted: // it may not want it to go on
		if s.Parent != nil {
			effects = append(effects, TellParent{})
		}
	}
	return effects
}

func (s State) react(e Event) []Effect {
	switch e := e.(type) {
	case TasksScheduled:
		return []Effect{s.send(Enqueue{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks})}
	case TasksRetryPlanned:
		return []Effect{SetTimer{Due: e.Due, Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks}}
	case ProcessStarted:
		return s.deadline()
	case ProcessFailed, ProcessCancelled:
		return []Effect{Halt{}}
	case ProcessPaused:
		return []Effect{Withhold{}}
	case ProcessResumed:
		return Resume(s)
	case ProcessRetried:
		return append([]Effect{s.outdated(e.Steps)}, Resume(s)...)
	case ProcessRestarted:
		return append([]Effect{s.outdated(e.Steps)}, Resume(s)...)
	case ProcessRevised:
		return append([]Effect{s.outdated(e.Steps)}, Resume(s)...)
	}
	return nil
}

// send is how tasks are executed: by workers, or as children of whom the core
// knows what they read.
func (s State) send(e Enqueue) Effect {
	if step, isStep := s.Step(e.Address); isStep && step.Process != nil && !s.lookedUp(step) {
		return StartChildren(e)
	}
	return e
}

// outdated halts what steps that begin anew had, and what a revision took out,
// merges included: also those of names that another step writes now.
func (s State) outdated(steps []Begun) Halt {
	h := Halt{Before: map[string]int{}}
	for address, generation := range s.retired {
		h.Before[address] = generation
	}
	for _, b := range steps {
		h.Before[b.Address] = b.Generation
	}
	for i, n := range s.nodes {
		if _, isStep := s.graph.step(i); !isStep && n.phase == waiting && n.generation > 0 {
			h.Before[s.graph.address(i)] = n.generation
		}
	}
	return h
}

func (s State) deadline() []Effect {
	if due := s.Deadline(); !due.IsZero() {
		return []Effect{SetDeadline{Due: due}}
	}
	return nil
}

// Resume says what the shell must do for a process whose earlier effects may
// or may not have been performed: everything that is open is sent, and
// everything planned gets its timer. A timer of the past is due at once.
func Resume(s State) []Effect {
	switch s.Status {
	case Failed, Cancelled:
		return []Effect{Halt{}}
	case Paused:
		return append(s.deadline(), Withhold{})
	case Running:
		effects := s.deadline()
		for _, e := range s.Outstanding() {
			if tasks, ok := e.(Enqueue); ok {
				e = s.send(tasks)
			}
			effects = append(effects, e)
		}
		return effects
	}
	return nil
}

// Outstanding is all that a state waits for, whether the process runs or not:
// tasks that are scheduled, each an [Enqueue] whatever executes it, and planned
// retries, each a [SetTimer].
func (s State) Outstanding() []Effect {
	var effects []Effect
	for i, n := range s.nodes {
		if n.phase == running {
			effects = append(effects, s.outstandingOf(i)...)
		}
	}
	return effects
}

// outstandingOf is the same of one node.
func (s State) outstandingOf(i int) []Effect {
	var effects []Effect
	n := s.nodes[i]
	type key struct {
		attempt int
		due     int64 // 0: not waiting
	}
	again := map[key][]int{}
	var notFirst []int
	for index, t := range n.tasks.troubled() {
		k := key{attempt: t.attempt}
		switch {
		case t.stand == planned && planted.Is(planted.LostRetry):
			k.attempt = 0
		case t.stand == planned:
			k.due = t.due
		case t.stand == underWay && t.attempt == 1:
			continue
		case t.stand != underWay:
			k.attempt = 0 // nothing is to be done for it
		}
		again[k] = append(again[k], index)
		notFirst = append(notFirst, index)
	}
	address := s.graph.address(i)
	first := n.tasks.open(task.Span(0, n.scheduled)).Minus(task.Of(notFirst...))
	var keys []key
	for k := range again {
		if k.attempt > 0 {
			keys = append(keys, k)
		}
	}
	if len(first) > 0 {
		effects = append(effects, Enqueue{Address: address, Generation: n.generation, Attempt: 1, Tasks: first})
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.attempt, b.attempt), cmp.Compare(a.due, b.due)) })
	for _, k := range keys {
		tasks := task.Of(again[k]...)
		if k.due != 0 {
			effects = append(effects, SetTimer{Due: time.Unix(0, k.due).UTC(), Address: address, Generation: n.generation, Attempt: k.attempt, Tasks: tasks})
			continue
		}
		effects = append(effects, Enqueue{Address: address, Generation: n.generation, Attempt: k.attempt, Tasks: tasks})
	}
	return effects
}
