package orchestrator

import (
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
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
func (o *Owner) sendElsewhere(now time.Time, id string, r task.Result) {
	wait := nowhere
	if o.feeder.isServed(id, r.Address) {
		wait = elsewhere
	}
	o.timers.set(now.Add(wait), id, resend(returned(r)))
}

// giveBack takes tasks that a worker handed back: those of one that leaves go
// out again at once. If it says why, it had no room for what they need, and
// there may be none elsewhere: they stay out for a while.
func (o *Owner) giveBack(now time.Time, id string, r task.Result) {
	if r.Failure != nil && r.Failure.Error != "" {
		o.timers.set(now.Add(crowded), id, resend(returned(r)))
		return
	}
	o.feeder.resend(id, returned(r))
}

func returned(r task.Result) process.Enqueue {
	return process.Enqueue{Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks}
}

// isServed reports whether a worker is there that can execute the tasks of a
// step, as far as is known.
func (f *feeder) isServed(id, address string) bool {
	fd := f.feeds[id]
	if fd == nil || fd.rows[address] == nil || fd.rows[address].pool == nil {
		return false
	}
	r := fd.rows[address]
	return len(r.pool.crew) > 0 && r.isServed()
}

// offers reports whether a handler is among those that a worker lists, or is one
// that every worker has and none lists.
func offers(offered []string, handler string) bool {
	if _, everywhere := definition.Standard(handler); everywhere {
		return true
	}
	return slices.ContainsFunc(offered, func(o string) bool { return o == handler || strings.HasPrefix(o, handler+"@") })
}
