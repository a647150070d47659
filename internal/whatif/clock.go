package whatif

import (
	"fmt"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// until lets happen what is due in the other world before a time.
func (r *Replay) until(limit time.Time) error {
	w := &r.would
	for {
		next, some := w.agenda.first()
		deadline, strikes := r.deadline()
		switch {
		case strikes && !deadline.After(limit) && (!some || !next.Before(deadline)):
			w.reach(deadline)
			if _, err := w.obey(process.FireDeadline{At: w.now}, nil); err != nil {
				return err
			}
		case some && !next.After(limit):
			if err := r.do(w.agenda.take()); err != nil {
				return err
			}
		default:
			w.reach(limit)
			return nil
		}
	}
}

func (r *Replay) do(i item) error {
	r.would.reach(i.at)
	if i.timer != nil {
		return r.would.fire(*i.timer)
	}
	_, err := r.hear(*i.result, r.would.now, nil)
	return err
}

// deadline is that of the other world, unless it is the recorded one, too: then
// it strikes when it is recorded to have struck.
func (r *Replay) deadline() (at time.Time, strikes bool) {
	at = r.would.state.Deadline()
	shared := !r.was.before.Ended() && r.was.before.Deadline().Equal(at)
	return at, r.would.live() && !at.IsZero() && !shared
}

// plan puts the retries on the agenda that are planned in the other world only:
// persons plan without saying so, and where a process has ended nothing comes
// any more of what was planned in it.
func (r *Replay) plan() {
	type plan struct {
		run
		due int64
	}
	theirs := map[plan]task.Ranges{}
	timers := func(s process.State, each func(plan, process.SetTimer)) {
		for _, effect := range process.Resume(s) {
			if t, ok := effect.(process.SetTimer); ok {
				each(plan{run{t.Address, t.Generation, t.Attempt}, t.Due.UnixNano()}, t)
			}
		}
	}
	timers(r.was.state, func(p plan, t process.SetTimer) { theirs[p] = t.Tasks })
	timers(r.would.state, func(p plan, t process.SetTimer) {
		if t.Tasks = t.Tasks.Minus(theirs[p]); len(t.Tasks) > 0 {
			r.would.agenda.put(item{at: t.Due, timer: &t})
		}
	})
}

// finish comes after the last event. What the other world still has planned
// happens if the recorded one has ended; if that still runs, both stand where
// they stood at its last event.
func (r *Replay) finish() error {
	last, err := r.was.close()
	if err != nil {
		return err
	}
	if len(last.events) == 0 {
		return fmt.Errorf("there is no history to replay")
	}
	if err := r.follow(last); err != nil {
		return err
	}
	r.was.before = r.was.state
	for r.was.state.Ended() {
		next, some := r.would.agenda.first()
		deadline, strikes := r.deadline()
		if strikes && (!some || next.After(deadline)) {
			if len(outstanding(r.would.state)) > 0 {
				break // nobody knows whether it would not have ended before
			}
			next, some = deadline, true
		}
		if !some {
			break
		}
		if err := r.until(next); err != nil {
			return err
		}
	}
	return nil
}
