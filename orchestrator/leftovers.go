package orchestrator

import (
	"context"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// looksAtOnce is how often at a time an owner looks into the store because of what
// heartbeats name.
const looksAtOnce = 256

// cancelLeftovers tells a worker again to stop what it still holds of a
// process that has ended badly, or of a generation that is out of date: it may
// have missed the first signal. A process that this owner has not heard of was
// ended by an earlier one, which may have died before it took the messages off
// the queue: loading it makes up for that. What another owner sent since is no
// leftover: so the store is asked before. The processes of others are none of
// this owner's business.
//
// A worker may name anything: it must not keep the owner from its work, nor have
// it cancel what others execute. What is left out the next heartbeat names again.
func (o *Owner) cancelLeftovers(ctx context.Context, beat task.Heartbeat, looks *int) {
	for _, hold := range beat.Holding {
		if !o.shards.Holds(hold.Process) {
			continue
		}
		if known := o.processes[hold.Process]; known != nil && !isLeftover(known, hold) {
			continue
		}
		if *looks == 0 {
			return
		}
		*looks--
		s, err := o.state(ctx, hold.Process)
		if err == nil && isLeftover(s, hold) {
			if err = o.confirmCurrent(ctx, hold.Process, s.Version); isConflict(err) {
				s, err = o.state(ctx, hold.Process)
			}
		}
		switch {
		case err != nil && isPassing(ctx, err): // the next heartbeat names it again
		case err != nil:
			o.Log.Warn("orchestrator: a worker holds tasks of a process that cannot be loaded", o.inLog(hold.Process, "worker", beat.Worker, "error", err)...)
		case !isLeftover(s, hold):
		case s.Status == process.Failed || s.Status == process.Cancelled:
			o.cancel(ctx, task.Cancel{Process: hold.Process})
		default:
			before := s.Generation(hold.Address)
			if before < 0 { // a revision took the step out: nobody is to execute it
				before = hold.Generation + 1
			}
			o.cancel(ctx, task.Cancel{Process: hold.Process, Before: map[string]int{hold.Address: before}})
		}
	}
}

// isLeftover reports whether a worker had better stop what it holds.
func isLeftover(s *process.State, h task.Hold) bool {
	current := s.Generation(h.Address)
	return s.Status == process.Failed || s.Status == process.Cancelled || current < 0 || h.Generation < current
}
