package orchestrator

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

// running is the view of what workers hold, from their heartbeats. It is
// memory: it makes no claim about what nobody holds until it has listened for
// one lease.
type running struct {
	lease   time.Duration
	since   time.Time // of the first look
	workers map[string]beat
	version int // counts changes of who is there and what they can do
}

type beat struct {
	at time.Time
	task.Heartbeat
}

func newRunning(lease time.Duration) *running {
	return &running{lease: lease, workers: map[string]beat{}}
}

func (r *running) beat(now time.Time, b task.Heartbeat) {
	before, known := r.workers[b.Worker]
	if b.Leaving {
		if known {
			delete(r.workers, b.Worker)
			r.version++
		}
		return
	}
	if !known || !isAlike(before.Heartbeat, b) {
		r.version++
	}
	r.workers[b.Worker] = beat{at: now, Heartbeat: b}
}

// isAlike reports whether a worker can do what it could do before.
func isAlike(a, b task.Heartbeat) bool {
	return a.Slots == b.Slots && a.Pool == b.Pool && a.AnyPool == b.AnyPool && a.Offer == b.Offer && a.Draining == b.Draining && slices.Equal(a.Handlers, b.Handlers) &&
		maps.Equal(a.Versions, b.Versions)
}

// expire forgets workers that were silent for a lease: what they hold is
// delivered to others by now. It returns how many.
func (r *running) expire(now time.Time) (silent int) {
	if r.since.IsZero() {
		r.since = now
	}
	for name, b := range r.workers {
		if now.Sub(b.at) > r.lease {
			delete(r.workers, name)
			r.version++
			silent++
		}
	}
	return silent
}

// listenAnew begins anew: it did not listen for a while.
func (r *running) listenAnew() { r.since = time.Time{} }

// certain reports whether the view has listened long enough to say that
// nobody holds a task.
func (r *running) certain(now time.Time) bool { return !r.since.IsZero() && now.Sub(r.since) > r.lease }

// held yields what is held, and who holds it since when the elapsed times count.
func (r *running) held() iter.Seq2[beat, task.Hold] {
	return func(yield func(beat, task.Hold) bool) {
		for _, b := range r.workers {
			for _, h := range b.Holding {
				if !yield(b, h) {
					return
				}
			}
		}
	}
}

// byProcess is what is held, by process.
func (r *running) byProcess() map[string][]task.Hold {
	all := map[string][]task.Hold{}
	for _, h := range r.held() {
		all[h.Process] = append(all[h.Process], h)
	}
	return all
}

// taking yields the workers that take tasks: those that are not about to leave.
func (r *running) taking() iter.Seq[beat] {
	return func(yield func(beat) bool) {
		for _, b := range r.workers {
			if !b.Draining && !yield(b) {
				return
			}
		}
	}
}

// crew is the workers that serve a pool; and those that serve any pool that has
// none.
func (r *running) crew(pool string) (own, anyPool []task.Heartbeat) {
	for b := range r.taking() {
		if poolName(b.Pool) == pool {
			own = append(own, b.Heartbeat)
		}
		if b.AnyPool {
			anyPool = append(anyPool, b.Heartbeat)
		}
	}
	return own, anyPool
}

// serves reports whether somebody takes the tasks of a pool from a lane.
func (r *running) serves(lane, pool string) bool {
	for b := range r.taking() {
		if laneName(poolName(b.Pool)) == lane && (b.AnyPool || poolName(b.Pool) == pool) {
			return true
		}
	}
	return false
}

// slots is how many tasks the workers of a lane execute at a time.
func (r *running) slots(lane string) (n int) {
	for b := range r.taking() {
		if laneName(poolName(b.Pool)) == lane {
			n += b.Slots
		}
	}
	return n
}

// offer is what the workers of a lane offer together to tasks with needs.
func (r *running) offer(lane string) (all task.Resources) {
	for b := range r.taking() {
		if laneName(poolName(b.Pool)) == lane {
			all = all.Plus(b.Offer)
		}
	}
	return all
}

// foreign is how many slots of a lane have tasks of processes that are not mine. A
// worker holds more tasks than it has slots where they are short.
func (r *running) foreign(lane string, mine func(id string) bool) (n int) {
	for _, b := range r.workers {
		if laneName(poolName(b.Pool)) != lane {
			continue
		}
		tasks := 0
		for _, h := range b.Holding {
			if !mine(h.Process) {
				tasks += h.Tasks.Len()
			}
		}
		n += min(tasks, b.Slots)
	}
	return n
}
