package orchestrator

import (
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// How long tasks wait that a worker sent back because it does not offer their
// handler: for another one that does, or for one that does to come.
const (
	elsewhere = time.Second / 10
	nowhere   = time.Second
)

// sendElsewhere sends tasks again that came to a worker which does not offer
// their handler. It costs them no attempt.
func (o *Owner) sendElsewhere(now time.Time, id string, r task.Result) {
	wait := nowhere
	if s := o.processes[id]; s != nil && o.running.offers(s.Handler(r.Address)) {
		wait = elsewhere
	}
	o.timers.set(now.Add(wait), id, resend(process.Enqueue{Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks}))
}

// offers reports whether some worker offers a handler. One without a version is
// offered by whoever offers any version of it.
func (r *running) offers(handler string) bool {
	for _, b := range r.workers {
		if offers(b.Handlers, handler) {
			return true
		}
	}
	return false
}

func offers(offered []string, handler string) bool {
	return slices.ContainsFunc(offered, func(o string) bool { return o == handler || strings.HasPrefix(o, handler+"@") })
}
