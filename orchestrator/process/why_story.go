package process

import (
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

// Concerns reports whether an event belongs to the story of a task; with index
// -1, of a step; with no address, of the process.
func Concerns(e Event, address string, index int) bool {
	return e != nil && happening(e, address, index).Text != ""
}

// tell makes the story.
func (w *why) tell(history []Event) {
	for _, e := range history {
		if h := happening(e, w.Address, w.Index); h.Text != "" {
			w.Story = append(w.Story, h)
		}
	}
	if w.Standing == IsConfirmed {
		w.confirmed(history)
	}
}

// confirmed explains a task that is done, and why it may have run more than once.
func (w *why) confirmed(history []Event) {
	if at := slices.IndexFunc(history, func(e Event) bool {
		c, ok := e.(TasksReused)
		return ok && c.Address == w.Address && c.Generation == w.Generation && c.Tasks.Contains(w.Index)
	}); at >= 0 {
		c := history[at].(TasksReused)
		w.because("it was not executed: at %s the result of an equal task was taken%s", w.clock(c.At), originOf(c, w.Index))
		return
	}
	at := slices.IndexFunc(history, func(e Event) bool {
		c, ok := e.(TasksConfirmed)
		return ok && c.Address == w.Address && c.Generation == w.Generation && c.Tasks.Contains(w.Index)
	})
	if at < 0 {
		w.because("it is done")
		return
	}
	c := history[at].(TasksConfirmed)
	by := ""
	if c.Worker != "" {
		by = " by worker " + c.Worker
	}
	w.Attempt = c.Attempt
	w.because("it was confirmed at %s, attempt %d%s", w.clock(c.At), c.Attempt, by)
	begun := map[int]bool{}
	earlier := 0
	for _, e := range history[:at] {
		if s, ok := e.(TasksScheduled); ok && s.Address == c.Address && s.Tasks.Contains(w.Index) {
			if s.Generation == c.Generation {
				begun[s.Attempt] = true
			} else {
				earlier++
			}
		}
	}
	if len(begun) > 1 {
		w.because("it took %d attempts; the story says what became of each", len(begun))
	}
	if earlier > 0 {
		w.because("its step was run before: this is generation %d", c.Generation)
	}
}

// happening is an event as a task, a step or the process sees it; without a
// text if it does not concern it.
func happening(e Event, address string, index int) Happening {
	if h := ofProcess(e); h.Text != "" {
		return h
	}
	if address == "" {
		if e, ok := e.(StepCompleted); ok {
			return Happening{At: e.At, Generation: e.Generation, Text: e.String()}
		}
		return Happening{}
	}
	if index < 0 {
		return ofStep(e, address)
	}
	return ofTask(e, address, index)
}

// ofProcess is an event about the process, which everything in it sees.
func ofProcess(e Event) Happening {
	var at time.Time
	switch e := e.(type) {
	case ProcessStarted:
		at = e.At
	case ProcessPaused:
		at = e.At
	case ProcessResumed:
		at = e.At
	case ProcessCancelled:
		at = e.At
	case ProcessRetried:
		at = e.At
	case ProcessRestarted:
		at = e.At
	case ProcessRevised:
		at = e.At
	case ProcessDeadlineMissed:
		at = e.At
	case ProcessFailed:
		at = e.At
	case ProcessCompleted:
		at = e.At
	default:
		return Happening{}
	}
	return Happening{At: at, Text: e.String()}
}

func ofStep(e Event, address string) Happening {
	var of string
	var h Happening
	switch e := e.(type) {
	case StepStarted:
		of, h.At, h.Generation = e.Address, e.At, e.Generation
	case StepCompleted:
		of, h.At, h.Generation = e.Address, e.At, e.Generation
	case StepSkipped:
		of, h.At, h.Generation = e.Address, e.At, e.Generation
	case RepeatEnded:
		of, h.At, h.Generation = e.Address, e.At, e.Generation
	case TasksSkipped:
		of, h.At, h.Generation = e.Address, e.At, e.Generation
	}
	if of != address {
		return Happening{}
	}
	h.Text = e.String()
	return h
}

func ofTask(e Event, address string, index int) Happening {
	var h Happening
	about := func(at time.Time, a string, generation, attempt int, tasks task.Ranges, format string, args ...any) {
		if a == address && tasks.Contains(index) {
			h = Happening{At: at, Generation: generation, Attempt: attempt, Text: fmt.Sprintf("attempt %d ", attempt) + fmt.Sprintf(format, args...)}
		}
	}
	switch e := e.(type) {
	case TasksScheduled:
		about(e.At, e.Address, e.Generation, e.Attempt, e.Tasks, "scheduled")
	case TasksConfirmed:
		about(e.At, e.Address, e.Generation, e.Attempt, e.Tasks, "confirmed%s", onWorker(e.Worker))
	case TasksReused:
		about(e.At, e.Address, e.Generation, e.Attempt, e.Tasks, "was needless: the result is that of an equal task%s", originOf(e, index))
	case TasksFailed:
		about(e.At, e.Address, e.Generation, e.Attempt, e.Tasks, "failed%s (%s): %s", onWorker(e.Worker), e.Verdict, e.Error)
	case TasksRetryPlanned:
		about(e.At, e.Address, e.Generation, e.Attempt, e.Tasks, "planned, %s later", task.Duration(e.Due.Sub(e.At)))
	case TasksLost:
		about(e.At, e.Address, e.Generation, e.Attempt, e.Tasks, "lost with its worker")
	case TaskTimedOut:
		about(e.At, e.Address, e.Generation, e.Attempt, task.Span(e.Index, 1), "given up after %s%s: it ran too long", e.Elapsed, onWorker(e.Worker))
	case TasksSkipped:
		about(e.At, e.Address, e.Generation, e.Attempt, e.Tasks, "was the last: skipped: %s", e.Reason)
	}
	return h
}

// originOf is where the result of a task comes from.
func originOf(e TasksReused, index int) string {
	for _, o := range e.Origins {
		if o.Index == index {
			return ", " + o.Attempt.String()
		}
	}
	return ""
}

func onWorker(worker string) string {
	if worker == "" {
		return ""
	}
	return " on worker " + worker
}
