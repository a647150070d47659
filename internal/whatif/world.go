package whatif

import (
	"errors"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// world is the world as it would have been.
type world struct {
	state   process.State
	now     time.Time
	agenda  agenda
	shelf   shelf
	ran     tally
	merges  map[string]int  // by address: how many tasks the merge of a list has
	decided []process.Event // in this turn, while that is of interest
	parted  bool            // the worlds have diverged
	since   since           // from then on
}

// obey decides on a command and goes on with what follows from it. Retries that
// were planned in the recorded turn, too, come when they came then; others come
// at the time of this world.
func (w *world) obey(c process.Command, recorded []process.Event) (granted bool, err error) {
	decided, err := process.Decide(w.state, c)
	if err != nil {
		return false, err
	}
	w.state = process.Fold(w.state, decided...)
	if !w.parted {
		w.decided = append(w.decided, decided...)
	}
	for _, e := range decided {
		switch e := e.(type) {
		case process.StepStarted:
			if isMerge(e.Address) {
				w.merges[e.Address] = e.Tasks
			}
		case process.TasksScheduled:
			w.ran.add(e)
			if w.parted {
				w.since.scheduled(e)
			}
			for _, r := range w.shelf.take(spot{e.Address, e.Attempt}, e.Tasks) {
				w.agenda.put(item{at: e.At.Add(r.took), result: &r})
			}
		case process.TasksRetryPlanned:
			if !plans(recorded, e) {
				w.agenda.put(item{at: e.Due, timer: &process.SetTimer{
					Due: e.Due, Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks,
				}})
			}
		}
	}
	return len(decided) > 0, nil
}

// reach moves the clock on. It never goes back: what is recorded of several
// orchestrators may.
func (w *world) reach(at time.Time) {
	if at.After(w.now) {
		w.now = at
	}
}

// live reports whether results count.
func (w *world) live() bool {
	return w.state.Status == process.Running || w.state.Status == process.Paused
}

// fire fires a planned retry of this world.
func (w *world) fire(t process.SetTimer) error {
	if w.state.Generation(t.Address) != t.Generation {
		return nil // a restart or a revision has overtaken it
	}
	_, err := w.obey(process.FireTimer{Address: t.Address, Generation: t.Generation, Attempt: t.Attempt, Tasks: t.Tasks, At: w.now}, nil)
	return err
}

// outstanding lists what is scheduled in a process that runs, and has no result yet.
func outstanding(s process.State) []Tasks {
	if s.Status != process.Running {
		return nil
	}
	var all []Tasks
	for _, effect := range s.Outstanding() {
		if e, ok := effect.(process.Enqueue); ok {
			all = append(all, Tasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks})
		}
	}
	return all
}

func plans(recorded []process.Event, e process.TasksRetryPlanned) bool {
	for _, other := range recorded {
		if p, ok := other.(process.TasksRetryPlanned); ok && samePlan(p, e) {
			return true
		}
	}
	return false
}

func samePlan(a, b process.TasksRetryPlanned) bool {
	return a.Address == b.Address && a.Generation == b.Generation && a.Attempt == b.Attempt && a.Due.Equal(b.Due) && sameTasks(a.Tasks, b.Tasks)
}

func sameTasks(a, b task.Ranges) bool { return len(a.Minus(b)) == 0 && len(b.Minus(a)) == 0 }

func isMerge(address string) bool { return strings.HasPrefix(address, process.SealPrefix) }

func refusal(err error) (reason string, refused bool) {
	var r *process.RefusedError
	if !errors.As(err, &r) {
		return "", false
	}
	if len(r.Differs) > 0 {
		return r.Reason + ": " + strings.Join(r.Differs, "; "), true
	}
	return r.Reason, true
}
