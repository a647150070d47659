package orchestrator

import (
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// How long tasks wait that a worker sent back because it may not execute them:
// for another one that may, or for one that may to come; and those for which it
// had no room just then.
const (
	elsewhere = time.Second / 10
	nowhere   = time.Second
	crowded   = 300 * time.Millisecond
)

// sendElsewhere sends tasks again that came to a worker which does not offer
// their handler, or is not of their pool. It costs them no attempt.
func (o *Owner) sendElsewhere(now time.Time, id, worker string, r task.Result) {
	o.refusals.note(now, id, worker, r)
	wait := nowhere
	if o.feeder.isServed(id, r.Address) {
		wait = elsewhere
	}
	o.timers.set(now.Add(wait), id, resend(enqueueOf(r)))
}

// giveBack takes tasks that a worker handed back: those of one that leaves go
// out again at once. If it says why, it had no room for what they need, and
// there may be none elsewhere: they stay out for a while.
func (o *Owner) giveBack(now time.Time, id, worker string, r task.Result) {
	if r.Failure != nil && r.Failure.Error != "" {
		o.refusals.note(now, id, worker, r)
		o.timers.set(now.Add(crowded), id, resend(enqueueOf(r)))
		return
	}
	o.feeder.resend(id, enqueueOf(r))
}

// enqueueOf is the tasks of a result as they were sent.
func enqueueOf(r task.Result) process.Enqueue {
	return process.Enqueue{Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks}
}
