package orchestrator

import (
	"container/heap"
	"maps"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
)

// kin is what the children of one family have together in a lane: one purse, and
// one place in the order of those that pay. Else ten thousand children would get
// ten thousand times what a process beside them gets. An account of theirs is
// held to it when it joins, and when its turn comes.
type kin struct {
	spent    time.Duration // of the purse
	turn     time.Duration // virtual time of their next turn
	accounts int
}

const (
	kinLag   = time.Second // of virtual time by which an account may be behind its kin
	kinsKept = 1000        // those without accounts go when there are more
)

// adopt has the account of a child belong to its kin.
func (f *feeder) adopt(a *account, s *process.State) {
	if s.Parent == nil || a.kin != nil {
		return
	}
	key := a.lane.name + "/" + s.Parent.Root
	if f.kins[key] == nil {
		if len(f.kins) >= kinsKept {
			maps.DeleteFunc(f.kins, func(_ string, k *kin) bool { return k.accounts == 0 })
		}
		f.kins[key] = &kin{}
	}
	a.kin = f.kins[key]
	a.kin.accounts++
	a.heed()
}

// heed holds an account to what its kin have got. It says whether that changed
// its place.
func (a *account) heed() (moved bool) {
	k := a.kin
	switch {
	case k == nil:
		return false
	case a.favoured && k.spent >= purse:
		a.spent = k.spent
		a.unfavour()
		return true
	case a.favoured:
		before := a.due()
		a.spent = max(a.spent, k.spent)
		moved = a.due() != before
	case k.turn > a.turn+kinLag:
		a.turn, moved = k.turn, true
	}
	if moved && a.place >= 0 {
		heap.Fix(a.lane.waiting(a), a.place)
	}
	return moved
}

// heedKin makes sure that whose turn it is has it by what its kin have got, too.
// What an account is held to only grows, so this comes to an end.
func (l *lane) heedKin() {
	for _, h := range []*accounts{&l.favoured, &l.paid} {
		for a := h.first(); a != nil && a.heed(); a = h.first() {
		}
	}
}

// charge notes what an account of theirs was charged, by its weight.
func (k *kin) charge(a *account, byWeight time.Duration) {
	switch {
	case k == nil:
	case a.favoured:
		k.spent += byWeight
	default:
		k.turn = max(k.turn, a.lane.clock) + byWeight
	}
}
