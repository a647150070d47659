package orchestrator

import (
	"container/heap"
	"math/bits"
	"slices"
	"time"
)

// Who sends next in a lane is decided by credits, in units of time that workers
// spend on tasks, divided by the weight of the process.
//
// A process begins with a purse. While it has something in it, it is favoured:
// it goes before all that have spent theirs. Of the favoured, who has spent
// little goes before who has spent much, and else who came first: so a small one
// passes a large one, and many small ones are done one after the other. After
// that a process pays for each turn with virtual time: who is least far goes
// next, which gives all of them shares by weight.
//
// Those that pay are never starved: of what the favoured take while others wait,
// a third becomes the lane's debt to these, and a lane in debt serves them first.
// Nor is who has spent a part of its purse, while new ones keep coming that have
// spent less: after a while it pays, and is one of those.
const (
	purse    = 10 * time.Second
	interest = 3 // the favoured get at most so many times what the others get

	// A place among the slots that a favoured process gets back is kept for its
	// next tasks for so long, at its own expense: otherwise each step of a short
	// process would wait anew behind what was sent while its last task ended.
	linger = 100 * time.Millisecond
)

// account is what a process has in a lane.
type account struct {
	feed   *feed
	lane   *lane
	kin    *kin // of a child; nil: it stands for itself
	made   int  // the how manyth account it is: of equals the first goes first
	weight int
	ready  []*row // in the order of their turns
	place  int    // in the heap of its lane; -1: it has nothing to send

	favoured bool
	spent    time.Duration // of the purse, by weight
	turn     time.Duration // virtual time of its next turn, once it pays
	turnAt   time.Duration // favoured: what all favoured had got at its last turn, or when it became ready

	out  int           // parts of messages
	time time.Duration // that what is out takes

	back      int // favoured: parts of messages that came back, and whose places are not kept yet
	held      int // places that are kept for it
	heldSince time.Time
	isHolding bool // it stands in lane.holds
}

// account is that of a process in a lane.
func (f *feeder) account(fd *feed, l *lane) *account {
	a := fd.accounts[l.name]
	if a == nil {
		f.accounts++
		a = &account{feed: fd, lane: l, made: f.accounts, weight: 1, place: -1, favoured: true}
		fd.accounts[l.name] = a
	}
	return a
}

// close drops an account of which nothing is out or ready any more.
func (a *account) close() {
	a.lane.held -= a.held
	a.held, a.back, a.favoured = 0, 0, false
	if a.kin != nil {
		a.kin.accounts--
		a.kin = nil
	}
}

// join makes a row ready.
func (a *account) join(r *row) {
	r.stands = isReady
	a.heed()
	if a.ready = append(a.ready, r); a.place < 0 {
		a.turn = max(a.turn, a.lane.clock) // who waited for nothing has saved nothing
		a.turnAt = a.lane.given
		heap.Push(a.lane.waiting(a), a)
	}
}

// dismiss takes a row out of those that are ready.
func (a *account) dismiss(r *row) {
	a.ready = slices.DeleteFunc(a.ready, func(other *row) bool { return other == r })
	r.stands = nowhereYet
	if len(a.ready) == 0 {
		heap.Remove(a.lane.waiting(a), a.place)
	}
}

// rotate gives the next row the next turn.
func (a *account) rotate() {
	if len(a.ready) > 1 {
		a.ready = append(a.ready[1:], a.ready[0])
	}
}

// weigh adds parts of messages to what is out, or takes them off.
func (a *account) weigh(parts int, took time.Duration) {
	a.out, a.time = a.out+parts, a.time+took
	a.lane.out, a.lane.time = a.lane.out+parts, a.lane.time+took
	if !a.favoured {
		a.lane.paidOut, a.lane.paidTime = a.lane.paidOut+parts, a.lane.paidTime+took
	}
}

// pay charges for time of workers; a negative one is paid back.
func (a *account) pay(cost time.Duration) {
	l := a.lane
	byWeight := cost / time.Duration(a.weight)
	if !a.favoured {
		l.debt = max(l.debt-cost, 0)
		l.clock = max(l.clock, a.turn)
		a.kin.charge(a, byWeight)
		a.turn += byWeight
		a.moved()
		return
	}
	if l.paid.Len() > 0 {
		l.debt = max(l.debt+cost/interest, 0)
	}
	l.given += cost
	a.kin.charge(a, byWeight)
	if a.spent, a.turnAt = a.spent+byWeight, l.given; a.spent < purse {
		a.moved()
	} else {
		a.unfavour()
	}
	l.remember()
}

// unfavour has an account pay from now on.
func (a *account) unfavour() {
	l := a.lane
	waits := a.place >= 0
	if waits {
		heap.Remove(&l.favoured, a.place)
	}
	a.favoured = false
	l.paidOut, l.paidTime = l.paidOut+a.out, l.paidTime+a.time
	l.held, a.held, a.back = l.held-a.held, 0, 0
	if a.turn = max(a.turn, l.clock); waits {
		heap.Push(&l.paid, a)
	}
}

func (a *account) moved() {
	if a.place >= 0 {
		heap.Fix(a.lane.waiting(a), a.place)
	}
}

// freed notes parts of messages that came back; keep decides what becomes of
// their places.
func (a *account) freed(parts int) {
	if parts == 0 || !a.favoured {
		return
	}
	if a.back < whole {
		if a.back += parts; a.back >= whole {
			a.lane.backs = append(a.lane.backs, a)
		}
		return
	}
	a.back += parts
}

// keep holds the places of the messages that came back for their process. What is
// left of one whose other tasks are out still waits for those.
func (a *account) keep(now time.Time) {
	n := max(min(a.back/whole, a.lane.slots-a.lane.held), 0)
	if a.back %= whole; n == 0 || !a.favoured {
		return
	}
	a.held, a.lane.held, a.heldSince = a.held+n, a.lane.held+n, now
	a.lane.warm(now.Add(linger))
	if !a.isHolding {
		a.isHolding = true
		a.lane.holds = append(a.lane.holds, hold{a, now.Add(linger)})
	}
}

// release gives up places that were kept, and pays for the time they were.
func (a *account) release(n int, now time.Time) {
	if n = min(n, a.held); n > 0 {
		a.held, a.lane.held = a.held-n, a.lane.held-n
		a.pay(time.Duration(n) * now.Sub(a.heldSince))
	}
}

// accounts is a heap of those that have something to send, by whose turn it is.
type accounts = heapOf[*account]

func (a *account) stand(place int) { a.place = place }

func (a *account) before(b *account) bool {
	mine, theirs := a.due(), b.due()
	return mine < theirs || mine == theirs && a.made < b.made
}

// due is what decides whose turn it is: the least. Of what was spent a rough
// measure counts, which doubles: 1 s, 2 s, 4 s.
func (a *account) due() time.Duration {
	if a.favoured {
		return time.Duration(bits.Len64(uint64(max(a.spent, 0) / time.Second)))
	}
	return a.turn
}
