package whatif

import (
	"fmt"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// diverge finds where a turn went otherwise; nil: it did not.
func diverge(start time.Time, t turn, decided []process.Event, why string) *Divergence {
	same := 0
	for same < min(len(t.events), len(decided)) && equal(t.events[same], decided[same]) {
		same++
	}
	recorded, instead := t.events[same:], decided[same:]
	if sameInAnyOrder(recorded, instead) {
		return nil
	}
	return &Divergence{
		Event: t.first + uint64(same), At: at(t.command), After: task.Duration(at(t.command).Sub(start)), Why: why,
		Recorded: sentences(recorded), Instead: sentences(instead),
	}
}

// sameInAnyOrder: a parallelism of the process that leaves room for all
// schedules the tasks of steps that begin together after both have begun, not
// each after its own. That is no other decision.
func sameInAnyOrder(a, b []process.Event) bool {
	if len(a) != len(b) {
		return false
	}
	times := map[string]int{}
	for _, e := range a {
		times[form(e)]++
	}
	for _, e := range b {
		times[form(e)]--
	}
	for _, more := range times {
		if more != 0 {
			return false
		}
	}
	return true
}

func sentences(events []process.Event) []string {
	const most = 6
	lines := []string{}
	for _, e := range events {
		lines = append(lines, e.String())
	}
	return clipped(lines, most)
}

// equal reports whether two events say the same, down to the last field.
func equal(a, b process.Event) bool { return form(a) == form(b) }

// form is all that an event says. Which definition it carries is the question,
// not an answer.
func form(e process.Event) string {
	stored, err := process.Encode(plain(e))
	if err != nil { // as what cannot be stored is printed
		return fmt.Sprintf("%T %+v", e, e)
	}
	return stored.Type + " " + string(stored.Data)
}

func plain(e process.Event) process.Event {
	switch e := e.(type) {
	case process.ProcessStarted:
		e.Definition, e.Hash, e.Inputs = definition.Definition{}, "", nil
		return e
	case process.ProcessRevised:
		e.Definition, e.Hash = definition.Definition{}, ""
		return e
	}
	return e
}
