package orchestrator

import (
	"time"
)

// Short tasks travel several in a message, since it is messages that cost time,
// on the queue and with workers. How many is guided self-scheduling (Polychronopoulos
// and Kuck, 1987): a share of what is left, so that in the end all are ready at the
// same time. It is bounded by how long tasks take: a worker that dies in the middle
// of a message, or a process that comes in between, loses that much.
//
// Only the first attempt at a task travels with others: what ends its worker takes
// them with it once, and never again.
const (
	messageTime = 20 * time.Millisecond // of work in a message
	batchMost   = 4096                  // tasks in one
	batchGuess  = 16                    // while no task of the step has ended
	shareSlot   = 2                     // messages a slot that what is left is divided into, at least
)

// batch is how many tasks of the row a message carries now.
func (r *row) batch() int {
	again := len(r.pending) > 0 && r.pending[0].Attempt > 1
	if !r.ranges || r.single || again || r.took == 0 && r.guess == 0 {
		return 1
	}
	most := batchMost
	if r.took == 0 {
		most = batchGuess
	}
	if slots := r.account.lane.slots; slots > 0 {
		most = min(most, r.waiting/(shareSlot*slots))
	} else {
		most = 1 // whoever watches the queue has to see how much there is
	}
	return max(1, min(most, int(messageTime/r.cost())))
}

// messageCost is how long what the next message of a row carries probably takes.
func (r *row) messageCost() time.Duration { return time.Duration(r.batch()) * r.cost() }

// travelsAlone reports whether tasks are not to be sent together with others.
func (q queued) travelsAlone(trace string) bool { return q.Attempt > 1 || trace != "" }

// whole is the parts that a message has: what is out of a lane is counted in
// messages, and of one its tasks may come back one after the other.
const whole = 1 << 20

// partsOf is what each of so many tasks of a message is of it.
func partsOf(tasks int) int { return max(whole/tasks, 1) }

// messages is how many messages so many parts are, the last one as a whole.
func messages(parts int) int { return (parts + whole - 1) / whole }
