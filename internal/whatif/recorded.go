package whatif

import (
	"fmt"
	"reflect"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
)

// turn is one command, and the events that were recorded of it.
type turn struct {
	first   uint64 // number of its first event
	command process.Command
	events  []process.Event
}

// recorded is the world as it was. Events do not say which command led to them,
// but this version decides as the one that recorded them did: so what belongs to
// a turn is what the command of its first event is expected to lead to.
type recorded struct {
	before   process.State // before the last complete turn
	state    process.State // after it
	known    time.Time     // the latest time of an event so far
	turn     turn
	expected []process.Event // of the turn, and not seen yet
	drift    uint64          // the first event that this version would not have decided; 0: none
}

// next takes an event. If it begins a turn, the one before is complete.
func (w *recorded) next(e process.Event) (done turn, err error) {
	if w.goesOn(e) {
		w.turn.events = append(w.turn.events, e)
		return turn{}, nil
	}
	if done, err = w.close(); err != nil {
		return done, err
	}
	command, ok := commandOf(w.state, e)
	if !ok {
		return done, fmt.Errorf("event %d (%s) follows from nothing that is recorded: this is not the history of a process", w.state.Version+1, e)
	}
	w.turn = turn{first: w.state.Version + 1, command: command, events: []process.Event{e}}
	w.expected = nil
	if !w.expect() {
		w.drifted()
	}
	return done, nil
}

// close ends the turn, and records it in the state.
func (w *recorded) close() (turn, error) {
	if len(w.expected) > 0 {
		w.drifted()
	}
	done := w.turn
	w.before = w.state
	for _, e := range done.events {
		if at := at(e); at.After(w.known) {
			w.known = at
		}
	}
	w.state, w.turn, w.expected = process.Fold(w.state, done.events...), turn{}, nil
	return done, w.state.Damage()
}

// goesOn reports whether the event belongs to the turn.
func (w *recorded) goesOn(e process.Event) bool {
	if len(w.turn.events) == 0 {
		return false
	}
	if len(w.expected) > 0 && alike(w.expected[0], e) {
		w.expected = w.expected[1:]
		return true
	}
	if w.waitsAsAsked(e) {
		return true
	}
	if _, begins := commandOf(w.state, e); begins {
		return false
	}
	w.drifted()
	return true
}

// waitsAsAsked recognises a retry that comes when the handler wanted it, which
// the event of the failure does not tell.
func (w *recorded) waitsAsAsked(e process.Event) bool {
	failed, isFailure := w.turn.command.(process.FailTasks)
	planned, isPlan := e.(process.TasksRetryPlanned)
	if !isFailure || !isPlan || failed.After > 0 || planned.Address != failed.Address || planned.Attempt != failed.Attempt+1 {
		return false
	}
	before := w.turn.command
	failed.After = wait(planned)
	w.turn.command = failed
	if w.expect() && len(w.expected) > 0 && alike(w.expected[0], e) {
		w.expected = w.expected[1:]
		return true
	}
	w.turn.command = before
	w.expect()
	return false
}

// expect decides on the command of the turn, under the definition that held,
// and reports whether that gives the events seen so far.
func (w *recorded) expect() bool {
	decided, err := process.Decide(w.state, w.turn.command)
	if err != nil || len(decided) < len(w.turn.events) {
		return false
	}
	for i, e := range w.turn.events {
		if !alike(decided[i], e) {
			return false
		}
	}
	w.expected = decided[len(w.turn.events):]
	return true
}

func (w *recorded) drifted() {
	if w.drift == 0 {
		w.drift = w.turn.first + uint64(len(w.turn.events)) - 1
	}
	w.expected = nil
}

// alike reports whether two events read the same: enough to know which turn an
// event belongs to.
func alike(a, b process.Event) bool {
	if a, ok := a.(process.TasksRetryPlanned); ok {
		b, ok := b.(process.TasksRetryPlanned)
		return ok && samePlan(a, b)
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b) && a.String() == b.String()
}

// at is when a command or an event came: all have that field.
func at(v any) time.Time {
	at, _ := reflect.ValueOf(v).FieldByName("At").Interface().(time.Time)
	return at
}
