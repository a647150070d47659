package orchestrator

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

const (
	turnSize  = 512                   // messages a lane in one step
	turnTime  = 10 * time.Millisecond // of work in one turn of a process, unless one task takes longer
	turnMost  = 64                    // messages in one turn
	turnLooks = 4096                  // tasks looked at in one turn that are to be sent no more
)

// states gives the state of a process. It may have to be loaded: what the feeder
// has of the process is then derived anew meanwhile, or ends.
type states func(id string) (*process.State, error)

// send sends what may be sent now. It returns the commands that follow from
// messages which can never be sent. On an error everything of the step stays
// pending, and may be sent twice.
func (f *feeder) send(ctx context.Context, now time.Time, state states) (impossible batch, err error) {
	f.regroup(now)
	if err := f.purgeAll(ctx, now); err != nil {
		return impossible, err
	}
	for r := f.sleepers.due(now); r != nil; r = f.sleepers.due(now) {
		r.stands = nowhereYet
		f.freshen(r)
	}
	if err := f.placeAll(now, state); err != nil {
		return impossible, err
	}
	m := mail{now: now}
	for _, name := range slices.Sorted(maps.Keys(f.lanes)) {
		if err = f.fill(f.lanes[name], state, &m); err != nil {
			break
		}
	}
	return m.refused, errors.Join(f.post(ctx, &m), err)
}

// feed lets the feeder send; what can never be sent is decided on.
func (o *Owner) feed(ctx context.Context, now time.Time) error {
	o.feeder.replicas = 1 + len(o.members.names())
	before := o.feeder.posted
	impossible, sendErr := o.feeder.send(ctx, now, func(id string) (*process.State, error) { return o.state(ctx, id) })
	o.Metrics.Tasks(metrics.TasksSent, o.feeder.posted-before)
	if o.feeder.roll {
		o.feeder.roll = false
		o.callRoll(ctx)
	}
	if err := o.passAll(ctx, impossible); err != nil {
		return err
	}
	return sendErr
}

// placeAll puts rows with new tasks where they belong.
func (f *feeder) placeAll(now time.Time, state states) error {
	holding := map[string][]task.Hold(nil)
	for len(f.fresh) > 0 {
		r := f.fresh[0]
		id := r.feed.id
		if r.stands != isFresh || f.feeds[id] != r.feed {
			f.fresh = f.fresh[1:]
			continue
		}
		s, err := f.sendable(id, state)
		if err != nil {
			return err
		}
		f.fresh = f.fresh[1:]
		if s == nil || r.stands != isFresh {
			continue
		}
		if r.feed.notBefore.After(now) {
			f.sleepers.add(r, r.feed.notBefore)
			continue
		}
		if !r.feed.swept {
			f.place(now, s, r)
			continue
		}
		r.feed.swept = false
		if holding == nil {
			holding = f.running.byProcess()
		}
		for _, h := range holding[id] {
			f.hold(s, h, now)
		}
		for _, address := range slices.Sorted(maps.Keys(r.feed.rows)) {
			f.place(now, s, r.feed.rows[address])
		}
	}
	return nil
}

// sendable is the state of a process of which something may be sent; nil if
// nothing may, which is dropped then: what is to be sent after a pause is
// derived anew, and what comes back of a process that has ended is not wanted.
func (f *feeder) sendable(id string, state states) (*process.State, error) {
	s, err := state(id)
	switch {
	case err != nil && f.feeds[id] == nil:
		return nil, nil // it cannot be read, and was given up
	case err != nil:
		return nil, err
	case s.Version == 0 || s.Ended() || s.Damage() != nil:
		f.end(id)
		return nil, nil
	case s.Status != process.Running:
		f.forget(id)
		return nil, nil
	}
	return s, nil
}

// fill gives turns in a lane, until it has enough.
func (f *feeder) fill(l *lane, state states, m *mail) error {
	l.keep(m.now)
	l.needs.loosen(m.now)
	for sent := 0; sent < turnSize; {
		a, n := l.choose(m.now)
		if a == nil {
			return nil
		}
		s, err := f.sendable(a.feed.id, state)
		if err != nil {
			return err
		}
		if again, _ := l.choose(m.now); s == nil || again != a {
			continue
		}
		sent += f.turn(m, a, s, min(n, turnSize-sent))
	}
	return nil
}

// turn gives a process a turn of at most n messages, and returns how many it sent.
func (f *feeder) turn(m *mail, a *account, s *process.State, n int) (sent int) {
	r := a.ready[0]
	if !r.isServed() { // who could execute its tasks has left since it was placed
		r.leave()
		f.setAside(r)
		return 0
	}
	batch := r.batch()
	n = min(n, turnMost, max(1, int(turnTime/r.messageCost())))
	tasks := n * batch
	r.bucket.fill(r.rate, m.now)
	if left := r.bucket.left(); left >= 0 {
		tasks = min(tasks, left)
	}
	if !r.needs.IsZero() {
		tasks = min(tasks, a.lane.needs.fit(r))
	}
	began := 0
	for looks := 0; sent < n && began < tasks && r.waiting > 0 && looks < turnLooks; {
		e := r.take(min((n-sent)*batch, tasks-began))
		messages, written := m.write(s, r, e, batch, n-sent)
		sent, began, looks = sent+messages, began+written, looks+e.Tasks.Len()-written
	}
	a.release(sent, m.now)
	a.pay(time.Duration(began) * r.cost())
	if a.favoured && sent > 0 {
		a.lane.warm(m.now.Add(min(r.cost(), linger) + linger))
	}
	r.bucket.take(began)
	if sent > 0 {
		a.lane.needs.sent(r)
	}
	f.move(m.now, a, r)
	return sent
}

// move puts a row after its turn where it belongs.
func (f *feeder) move(now time.Time, a *account, r *row) {
	switch {
	case r.waiting == 0:
		r.leave()
	case r.bucket.left() == 0:
		r.leave()
		f.sleepers.add(r, r.bucket.next())
	case !r.needs.IsZero() && a.lane.needs.fit(r) == 0:
		a.dismiss(r)
		a.lane.needs.cramp(r, now)
	default:
		a.rotate()
	}
}
