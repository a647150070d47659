package orchestrator

import (
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
}

type beat struct {
	at time.Time
	task.Heartbeat
}

func newRunning(lease time.Duration) *running {
	return &running{lease: lease, workers: map[string]beat{}}
}

func (r *running) beat(now time.Time, b task.Heartbeat) {
	if b.Leaving {
		delete(r.workers, b.Worker)
		return
	}
	r.workers[b.Worker] = beat{at: now, Heartbeat: b}
}

// expire forgets workers that were silent for a lease: what they hold is
// delivered to others by now.
func (r *running) expire(now time.Time) {
	if r.since.IsZero() {
		r.since = now
	}
	for name, b := range r.workers {
		if now.Sub(b.at) > r.lease {
			delete(r.workers, name)
		}
	}
}

// certain reports whether the view has listened long enough to say that
// nobody holds a task.
func (r *running) certain(now time.Time) bool { return now.Sub(r.since) > r.lease }

// each yields what is held, and who holds it since when the elapsed times count.
func (r *running) each(visit func(b beat, h task.Hold)) {
	for _, b := range r.workers {
		for _, h := range b.Holding {
			visit(b, h)
		}
	}
}
