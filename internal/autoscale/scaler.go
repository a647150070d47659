package autoscale

import (
	"fmt"
	"time"

	"github.com/deedrun/deed/internal/amount"
)

// Scaler decides how many workers a pool should have. It does nothing and knows
// no clock: each step is given the time, and what is to be seen. It is for one
// goroutine.
type Scaler struct {
	limits Limits
	wanted int
	wishes window
	last   *Figures  // of the last step that had any
	ended  time.Time // when something was last seen to end, or could not have
	idle   time.Time // since when slots are free although tasks wait; zero: they are not
}

// NewScaler wants the least at first.
func NewScaler(l Limits) (*Scaler, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	return &Scaler{limits: l, wanted: l.Min, wishes: window{length: l.CoolDown}}, nil
}

// Wanted is how many workers the last step wanted.
func (s *Scaler) Wanted() int { return s.wanted }

// Step decides. Without figures (nil) it keeps the number. live is how many of
// our workers are known to work; those that are only starting are not.
func (s *Scaler) Step(now time.Time, f *Figures, live int) Decision {
	d := Decision{At: now, From: s.wanted, To: s.wanted, Figures: f}
	if f == nil {
		// Nothing was wanted less meanwhile, and nothing could be seen to end.
		s.wishes.add(now, s.wanted)
		s.ended, s.idle = now, time.Time{}
		d.Kind, d.Why = Blind, "the orchestrator does not say how much there is to do"
		return d
	}
	s.observe(now, *f)
	slots, why := f.slotsFor(s.limits.Target)
	wish := s.workers(slots - f.Others)
	s.wishes.add(now, max(wish, s.workers(f.slotsUsed(s.limits.Target)-f.Others)))
	highest, looked := s.wishes.highest(now)
	switch {
	case wish > s.wanted:
		if held, because := s.held(now, *f); held {
			d.Kind, d.Why = Held, because
			return d
		}
		d.Kind, d.Why = Rose, why
		d.To = max(s.wanted, min(wish, 2*live+1))
	case looked && highest < s.wanted:
		d.Kind, d.To = Fell, highest
		d.Why = why
		if s.limits.CoolDown > 0 {
			d.Why = fmt.Sprintf("%s wanted for %s, now %s", noMoreThan(highest), short(s.limits.CoolDown), why)
		}
	}
	if d.To == d.From {
		d.Kind, d.Why = Steady, why
	}
	s.wanted = d.To
	return d
}

// workers is how many have so many slots, within the limits.
func (s *Scaler) workers(slots int) int {
	n := (max(slots, 0) + s.limits.Slots - 1) / s.limits.Slots
	return min(max(n, s.limits.Min), s.limits.Max)
}

// observe notes whether anything ends. Where nobody works nothing can, and where
// every task has a slot none waits for another's end: tasks may last for hours.
func (s *Scaler) observe(now time.Time, f Figures) {
	if s.last == nil || f.Slots == 0 || s.last.Slots == 0 || f.tasks() <= f.Slots || f.after(*s.last) {
		s.ended = now
	}
	switch {
	case f.Waiting == 0 || f.Out >= f.Slots:
		s.idle = time.Time{}
	case s.idle.IsZero():
		s.idle = now
	}
	s.last = &f
}

// leastPatience is how long nothing has to end, at least, before the number does
// not rise for that.
const leastPatience = time.Minute

// idleFor is how long slots have to be free although tasks wait: what has just
// begun to wait is not on the queue yet.
const idleFor = 2 * time.Second

// held says why more workers would not help, if so.
func (s *Scaler) held(now time.Time, f Figures) (held bool, why string) {
	patience := max(leastPatience, 3*time.Duration(f.Took))
	switch silent := now.Sub(s.ended); {
	case !s.idle.IsZero() && now.Sub(s.idle) >= idleFor:
		return true, fmt.Sprintf("%s while %d of %s are free: more workers would not help", waits(f.Waiting), f.Slots-f.Out, amount.Of(f.Slots, "slot"))
	case silent >= patience:
		return true, fmt.Sprintf("nothing has ended for %s, with %s out to %s: more workers would not help", short(patience), amount.Of(f.Out, "task"), amount.Of(f.Slots, "slot"))
	}
	return false, ""
}

func noMoreThan(n int) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprintf("no more than %d", n)
}

func waits(n int) string {
	if n == 1 {
		return "1 task waits"
	}
	return fmt.Sprintf("%d tasks wait", n)
}
