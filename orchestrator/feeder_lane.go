package orchestrator

import (
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

// How much is out in a lane: at least so many messages a slot, so that a worker has
// its next one at once; beyond that what its slots do within a short time, so
// that tasks of a millisecond do not wait for the feeder; never more than most.
const (
	leastSlot = 2
	aheadTime = 100 * time.Millisecond
	mostOut   = 4096

	// nobodyThere is how much is out where no worker is: enough for whoever
	// watches the queue to start some.
	nobodyThere = 16

	// besideTime is how far, a slot, those that pay are sent ahead beside a
	// favoured process that has just sent or got back something.
	besideTime = 5 * time.Millisecond
)

// lane is the feeder's side of one lane of the work queue: what is out in it,
// and who waits to send.
type lane struct {
	name  string
	slots int // of the workers that take from it, this feeder's share; 0: there are none
	most  int

	out      int           // parts of messages
	time     time.Duration // that what is out takes of a slot
	paidOut  int           // of those that are not favoured
	paidTime time.Duration

	favoured accounts
	paid     accounts
	clock    time.Duration // virtual time
	debt     time.Duration
	given    time.Duration // to the favoured
	recalled time.Duration // given, as of when those were last looked for that were forgotten

	backs     []*account
	held      int // slots that are kept for favoured processes
	holds     []hold
	warmUntil time.Time

	needs room
}

// hold is an account for which places are kept until a time, or longer.
type hold struct {
	*account
	until time.Time
}

func (f *feeder) lane(name string) *lane {
	if f.lanes[name] == nil {
		f.lanes[name] = &lane{name: name, most: f.most}
	}
	return f.lanes[name]
}

// waiting is the heap in which an account stands while it has something to send.
func (l *lane) waiting(a *account) *accounts {
	if a.favoured {
		return &l.favoured
	}
	return &l.paid
}

// use notes tasks with needs that go out, or come back.
func (l *lane) use(needs task.Resources, n int) {
	if !needs.IsZero() {
		l.needs.use(needs, n)
	}
}

// fit is how many messages may be sent now that take so long.
func (l *lane) fit(cost time.Duration) int {
	least := nobodyThere
	if l.slots > 0 {
		least = leastSlot * l.slots
	}
	out := messages(l.out)
	n := max(least-out, int((time.Duration(l.slots)*aheadTime-l.time)/cost))
	return max(min(n, l.most-out), 0)
}

// fitBeside is how many messages of those that pay may be sent beside a favoured
// process: on slots that it has no use for.
func (l *lane) fitBeside(cost time.Duration) int {
	paid := messages(l.paidOut)
	free := l.slots - messages(l.out-l.paidOut) - l.held - paid
	ahead := int((time.Duration(l.slots)*besideTime - l.paidTime) / cost)
	return max(min(max(free, ahead), l.fit(cost)), 0)
}

// inDebt reports whether those that pay go first. It takes a while to come to
// that, so that a short process is through before.
func (l *lane) inDebt() bool { return l.debt >= l.credit() }

// credit is how much the lane may owe.
func (l *lane) credit() time.Duration { return time.Duration(max(l.slots, 1)) * time.Second / 2 }

// remember looks for the favoured that others have passed for so long as would
// bring the lane into debt, had they been paying. They pay from now on. Those
// that have spent as little as the first wait for those before them only.
func (l *lane) remember() {
	long := interest * l.credit()
	if l.given-l.recalled < long {
		return
	}
	l.recalled = l.given
	for _, a := range slices.Clone(l.favoured) {
		if l.given-a.turnAt >= long && a.due() > l.favoured.first().due() {
			a.unfavour()
		}
	}
}

func (l *lane) warm(until time.Time) {
	if until.After(l.warmUntil) {
		l.warmUntil = until
	}
}

func (l *lane) isWarm(now time.Time) bool { return l.slots > 0 && now.Before(l.warmUntil) }

// choose says whose turn it is, and how many messages it may send: nil if nobody
// may send anything now.
func (l *lane) choose(now time.Time) (a *account, n int) {
	l.expire(now)
	l.heedKin()
	favoured, paid := l.favoured.first(), l.paid.first()
	switch {
	case favoured != nil && (paid == nil || !l.inDebt()):
		a = favoured
		n = l.fit(a.ready[0].messageCost())
	case paid == nil:
		return nil, 0
	case l.isWarm(now) && !l.inDebt():
		a = paid
		n = l.fitBeside(a.ready[0].messageCost())
	default:
		a = paid
		n = l.fit(a.ready[0].messageCost())
	}
	if n == 0 {
		return nil, 0
	}
	return a, n
}

// expire gives up the places whose processes did not come for them.
func (l *lane) expire(now time.Time) {
	for len(l.holds) > 0 && !l.holds[0].until.After(now) {
		a := l.holds[0].account
		l.holds = l.holds[1:]
		if until := a.heldSince.Add(linger); a.held > 0 && until.After(now) {
			l.holds = append(l.holds, hold{a, until})
			continue
		}
		a.isHolding = false
		a.release(a.held, now)
	}
}

// keep holds the places that favoured processes got back.
func (l *lane) keep(now time.Time) {
	for _, a := range l.backs {
		a.keep(now)
	}
	l.backs = l.backs[:0]
}

// next is when somebody may send something, if nothing comes in before.
func (l *lane) next(now time.Time) (time.Time, bool) {
	if a, _ := l.choose(now); a != nil || l.needs.loosened && len(l.needs.cramped) > 0 {
		return now, true
	}
	if l.paid.first() == nil || !l.isWarm(now) {
		return time.Time{}, false
	}
	at := l.warmUntil
	if len(l.holds) > 0 && l.holds[0].until.Before(at) {
		at = l.holds[0].until
	}
	return at, true
}
