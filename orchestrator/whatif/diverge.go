package whatif

import (
	"bytes"
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
	if len(recorded) == 0 && len(instead) == 0 {
		return nil
	}
	return &Divergence{
		Event: t.first + uint64(same), At: at(t.command), After: task.Duration(at(t.command).Sub(start)), Why: why,
		Recorded: sentences(recorded), Instead: sentences(instead),
	}
}

func sentences(events []process.Event) []string {
	const most = 6
	lines := []string{}
	for _, e := range events {
		lines = append(lines, e.String())
	}
	return clipped(lines, most)
}

// equal reports whether two events say the same, down to the last field. Which
// definition they carry is the question, not an answer.
func equal(a, b process.Event) bool {
	x, err := process.Encode(plain(a))
	if err != nil {
		return false
	}
	y, err := process.Encode(plain(b))
	return err == nil && x.Type == y.Type && bytes.Equal(x.Data, y.Data)
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
