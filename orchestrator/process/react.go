package process

import (
	"cmp"
	"fmt"
	"slices"
	"time"

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

// SetTimer wants a FireTimer for these tasks at Due.
type SetTimer struct {
	Due        time.Time
	Address    string
	Generation int
	Attempt    int
	Tasks      task.Ranges
}

// Halt wants everything of the process off the queue and whatever runs cancelled.
type Halt struct{}

func (Enqueue) effect()  {}
func (SetTimer) effect() {}
func (Halt) effect()     {}

func (e Enqueue) String() string {
	return fmt.Sprintf("to the work queue: %s, attempt %d", subject(e.Address, e.Tasks), e.Attempt)
}

func (e SetTimer) String() string {
	return fmt.Sprintf("to the timers: retry %s as attempt %d at %s", subject(e.Address, e.Tasks), e.Attempt, e.Due.Format(time.TimeOnly))
}

func (Halt) String() string {
	return "to the work queue: drop what is waiting; to the workers: stop what runs"
}

// React says what an event asks of the shell. The state is the one after the event.
func React(s State, e Event) []Effect {
	switch e := e.(type) {
	case TasksScheduled:
		return []Effect{Enqueue{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks}}
	case TasksRetryPlanned:
		return []Effect{SetTimer{Due: e.Due, Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks}}
	case ProcessFailed:
		return []Effect{Halt{}}
	}
	return nil
}

// Resume says what the shell must do for a process whose earlier effects may
// or may not have been performed: everything that is open is sent, and
// everything planned gets its timer. A timer of the past is due at once.
func Resume(s State) []Effect {
	if s.Status == Failed {
		return []Effect{Halt{}}
	}
	if s.Status != Running {
		return nil
	}
	var effects []Effect
	for i, n := range s.nodes {
		if n.phase != running {
			continue
		}
		type key struct {
			attempt int
			due     int64 // 0: not waiting
		}
		again := map[key][]int{}
		for index, t := range n.tasks.troubled() {
			if t.attempt == 1 && !t.waiting {
				continue
			}
			k := key{attempt: t.attempt}
			if t.waiting {
				k.due = t.due
			}
			again[k] = append(again[k], index)
		}
		address := s.graph.address(i)
		first := n.tasks.open(task.Span(0, n.scheduled))
		var keys []key
		for k, indexes := range again {
			first = first.Minus(task.Of(indexes...))
			keys = append(keys, k)
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
	}
	return effects
}
