package autoscale

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Options of a supervisor. All are required.
type Options struct {
	Limits
	Every    time.Duration // between two looks
	DrainFor time.Duration // how long a worker may take to leave before it is killed

	Look  func(context.Context) (Look, error) // what is to be seen of the pool; it ends with its context
	Start func() (Process, error)             // one more worker
	Tell  func(Decision)                      // takes each change, and what keeps one from being made; not every look
}

// Look is what is to be seen of a pool at a moment.
type Look struct {
	Figures
	Holding map[int]int // tasks that workers of ours hold, by number of process; who is missing was not heard
}

// Supervisor keeps the workers of a pool.
type Supervisor struct {
	opt    Options
	scaler *Scaler
	fleet  fleet
	starts starts
	said   Kind // Held or Blind, as long as it was the last that was told of
	ending bool
	ended  chan end
	looks  chan seen
}

type end struct {
	member *member
	how    error
}

type seen struct {
	look Look
	err  error
}

// NewSupervisor is a supervisor without workers.
func NewSupervisor(o Options) (*Supervisor, error) {
	scaler, err := NewScaler(o.Limits)
	if err != nil {
		return nil, err
	}
	if o.Every <= 0 || o.DrainFor <= 0 {
		return nil, fmt.Errorf("a look every %s, %s to leave: both are longer than nothing", o.Every, o.DrainFor)
	}
	return &Supervisor{opt: o, scaler: scaler, ended: make(chan end), looks: make(chan seen)}, nil
}

// Run keeps the workers until ctx ends; then it drains all of them, and returns
// when the last has ended and nobody looks any more. All that it decides is decided
// by one goroutine; one more looks, and each worker has one that waits for its end.
func (s *Supervisor) Run(ctx context.Context) {
	looking, stop := context.WithCancel(ctx)
	var lookout sync.WaitGroup
	lookout.Go(func() { s.lookOut(looking) })
	defer lookout.Wait()
	defer stop()
	s.tell(Decision{Kind: Began, To: s.scaler.Wanted(), Why: fmt.Sprintf("%d to %d workers are kept here", s.opt.Min, s.opt.Max)})
	s.converge(time.Now())
	for leave := ctx.Done(); !s.ending || len(s.fleet.members) > 0; {
		wake := time.NewTimer(s.next(time.Now()))
		select {
		case <-leave:
			leave, s.ending = nil, true
			s.converge(time.Now())
		case e := <-s.ended:
			s.bury(e, time.Now())
		case l := <-s.looks:
			s.see(l, time.Now())
		case <-wake.C:
			s.converge(time.Now())
		}
		wake.Stop()
	}
	s.tell(Decision{Kind: Left, From: s.scaler.Wanted(), Why: "this was ended, and all workers have left"})
}

// lookOut looks again and again.
func (s *Supervisor) lookOut(ctx context.Context) {
	again := time.NewTicker(s.opt.Every)
	defer again.Stop()
	for {
		look, err := s.opt.Look(ctx)
		select {
		case <-ctx.Done():
			return
		case s.looks <- seen{look, err}:
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// see decides on what was seen, and does it.
func (s *Supervisor) see(l seen, now time.Time) {
	if s.ending {
		return
	}
	figures := &l.look.Figures
	if l.err != nil {
		figures = nil
	} else {
		s.fleet.hear(l.look.Holding)
	}
	s.tellChange(s.scaler.Step(now, figures, s.fleet.live()))
	s.converge(now)
}

// converge starts what is missing, drains what is too much, and kills what has
// not left in time.
func (s *Supervisor) converge(now time.Time) {
	wanted := s.scaler.Wanted()
	if s.ending {
		wanted = 0
	}
	for _, m := range s.fleet.surplus(wanted) {
		m.leaving = now
		_ = m.Drain() // if it has just died, its end is on its way
	}
	for _, m := range s.fleet.members {
		s.starts.lived(now, m.began)
		if !m.leaving.IsZero() && !m.killed && now.Sub(m.leaving) >= s.opt.DrainFor {
			m.killed = true
			_ = m.Kill()
			s.tell(Decision{At: now, Kind: Killed, From: wanted, To: wanted, Why: fmt.Sprintf("worker %d did not leave within %s and was killed", m.ID(), short(s.opt.DrainFor))})
		}
	}
	for missing := wanted - len(s.fleet.staying()); missing > 0 && s.starts.may(now); missing-- {
		p, err := s.opt.Start()
		if err != nil {
			s.starts.failed(now)
			s.tell(s.failing(now, err.Error()))
			return
		}
		m := &member{Process: p, began: now}
		s.fleet.members = append(s.fleet.members, m)
		go func() { s.ended <- end{m, p.Wait()} }()
	}
}

// bury notes the end of a worker. One that was to go on is replaced.
func (s *Supervisor) bury(e end, now time.Time) {
	s.fleet.remove(e.member)
	if s.ending || !e.member.leaving.IsZero() {
		return
	}
	how := fmt.Sprintf("worker %d left by itself", e.member.ID())
	if e.how != nil {
		how = fmt.Sprintf("worker %d died (%v)", e.member.ID(), e.how)
	}
	if s.starts.died(now, e.member.began) {
		s.tell(s.failing(now, fmt.Sprintf("%s %s after its start", how, short(now.Sub(e.member.began)))))
	} else if s.starts.may(now) {
		s.tell(Decision{At: now, Kind: Replaced, From: s.scaler.Wanted(), To: s.scaler.Wanted(), Why: how + ", another takes its place"})
	}
	s.converge(now)
}

func (s *Supervisor) failing(now time.Time, how string) Decision {
	when := "at once"
	if !s.starts.may(now) {
		when = "in " + short(s.starts.from.Sub(now))
	}
	return Decision{At: now, Kind: Failing, From: s.scaler.Wanted(), To: s.scaler.Wanted(), Why: how + "; the next is tried " + when}
}

// next is how long nothing has to be done, unless something comes in.
func (s *Supervisor) next(now time.Time) time.Duration {
	wait := time.Hour
	if !s.ending && len(s.fleet.staying()) < s.scaler.Wanted() {
		wait = min(wait, s.starts.from.Sub(now))
	}
	for _, m := range s.fleet.members {
		if !m.leaving.IsZero() && !m.killed {
			wait = min(wait, m.leaving.Add(s.opt.DrainFor).Sub(now))
		}
	}
	return max(wait, 0)
}

// tellChange tells what is new: another number, a reason that keeps it, or that
// the figures are there again.
func (s *Supervisor) tellChange(d Decision) {
	switch {
	case d.From != d.To, d.Kind == Steady && s.said == Blind:
		s.said = ""
	case d.Kind != Steady && d.Kind != s.said:
		s.said = d.Kind
	default:
		return
	}
	s.tell(d)
}

func (s *Supervisor) tell(d Decision) {
	if d.At.IsZero() {
		d.At = time.Now()
	}
	s.opt.Tell(d)
}
