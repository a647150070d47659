package orchestrator

import (
	"math"
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

// room is what the workers of a lane offer to tasks with needs, and what of it
// those have that are out. Workers admit tasks exactly; the feeder sends no more
// than may fit, so that few come back.
type room struct {
	offer    task.Resources // of all workers together, this feeder's share
	used     task.Resources
	tasks    int // out, with needs
	cramped  []*row
	loosened bool // something came back, or workers changed, since the cramped were looked at
	first    *row // a cramped row that waited for too long: others with needs wait for it
}

// crampedMost is how long a row may find no room while others find some.
const crampedMost = 5 * time.Second

func (m *room) use(needs task.Resources, n int) {
	m.tasks += n
	m.used = m.used.Plus(times(needs, n))
	if m.tasks == 0 {
		m.used = task.Resources{} // cores are fractions, and sums of them drift
	}
	m.loosened = m.loosened || n < 0
}

func times(r task.Resources, n int) task.Resources {
	return task.Resources{CPU: r.CPU * float64(n), Memory: r.Memory * int64(n), GPU: r.GPU * n}
}

// holds is how many times the needs fit.
func holds(offer, needs task.Resources) int {
	n := math.MaxInt32
	if needs.CPU > 0 {
		const rounding = 1e-9
		n = min(n, int(max(offer.CPU, 0)/needs.CPU+rounding))
	}
	if needs.Memory > 0 {
		n = min(n, int(max(offer.Memory, 0)/needs.Memory))
	}
	if needs.GPU > 0 {
		n = min(n, max(offer.GPU, 0)/needs.GPU)
	}
	return n
}

// fit is how many more tasks of a row there is room for.
func (m *room) fit(r *row) int {
	capacity, served := r.pool.capacity(r.needs)
	switch {
	case !served:
		return math.MaxInt32
	case m.first != nil && m.first != r:
		return 0
	case m.tasks == 0:
		return max(capacity, 1)
	}
	return max(min(capacity-r.out.tasks, holds(m.offer.Minus(m.used), r.needs)), 0)
}

// cramp lets a row wait for room.
func (m *room) cramp(r *row, now time.Time) {
	r.stands = isCramped
	if r.since.IsZero() {
		r.since = now
	}
	m.cramped = append(m.cramped, r)
}

// loosen lets the cramped rows try again, if something has changed: all of them,
// or, if one waited for too long, that one alone.
func (m *room) loosen(now time.Time) {
	if !m.loosened {
		return
	}
	m.loosened, m.first = false, nil
	m.cramped = slices.DeleteFunc(m.cramped, func(r *row) bool { return r.stands != isCramped })
	for _, r := range m.cramped {
		if now.Sub(r.since) > crampedMost && (m.first == nil || r.since.Before(m.first.since)) {
			m.first = r
		}
	}
	m.cramped = slices.DeleteFunc(m.cramped, func(r *row) bool {
		if m.first != nil && m.first != r {
			return false
		}
		if r.stands == isCramped { // and is not here twice
			r.account.join(r)
		}
		return true
	})
}

// sent notes that a row found room.
func (m *room) sent(r *row) {
	r.since = time.Time{}
	m.pass(r)
}

// pass lets the others try again if it is this row that they wait for: it found
// room, or does not look for any more.
func (m *room) pass(r *row) {
	if m.first == r {
		m.first, m.loosened = nil, true
	}
}
