package orchestrator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// timeoutGrace is how much longer than its timeout an attempt may be seen to
// run before the timeout manager asks: the worker itself ends it on time,
// unless it cannot.
const timeoutGrace = 5 * time.Second

// askTimeouts is the timeout manager: once a second it looks at what is
// running and asks the core about attempts that run too long; and it sends
// again what was sent and nobody has. It only asks.
func (o *Owner) askTimeouts(ctx context.Context, now time.Time) error {
	if now.Sub(o.asked) < time.Second {
		return nil
	}
	if err := o.recall(ctx); err != nil {
		return err
	}
	o.asked = now
	var all batch
	for _, late := range o.overdue(now) {
		all.add(late.id, &request{command: late.command})
	}
	if err := o.passAll(ctx, all); err != nil {
		return err
	}
	return o.resendUnheld(ctx, now)
}

// lateTask is an attempt that runs for too long.
type lateTask struct {
	id      string
	command process.TryTimeoutTask
}

// overdue lists what workers have been executing for too long, as far as it is
// still theirs: one that cannot end what was given up shows it for ever.
func (o *Owner) overdue(now time.Time) []lateTask {
	var late []lateTask
	for b, h := range o.running.held() {
		s := o.processes[h.Process]
		if s == nil || s.Ended() {
			continue
		}
		timeout := s.Timeout(h.Address)
		if timeout <= 0 {
			continue
		}
		for _, r := range h.Running {
			elapsed := time.Duration(r.Elapsed) + now.Sub(b.at)
			if elapsed > timeout+timeoutGrace && isWanted(s, birth{h.Address, h.Generation, r.Index}, h.Attempt) {
				late = append(late, lateTask{h.Process, process.TryTimeoutTask{
					Address: h.Address, Generation: h.Generation, Index: r.Index, Attempt: h.Attempt,
					Elapsed: task.Duration(elapsed), Worker: b.Worker, At: now,
				}})
			}
		}
	}
	slices.SortFunc(late, func(a, b lateTask) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.command.Address, b.command.Address), cmp.Compare(a.command.Index, b.command.Index))
	})
	return late
}

// resendUnheld sends again, at the same attempt, tasks that were sent more
// than a lease ago, that no worker holds, and of whose process nothing is on
// the queue: a queue may lose its tail in a power cut. It has to look so twice,
// a second apart: between a worker's report, which may wait in the inbox, and
// its acknowledgement nobody holds the task either.
func (o *Owner) resendUnheld(ctx context.Context, now time.Time) error {
	if !o.running.certain(now) {
		return nil
	}
	sentBefore, held := now.Add(-o.Work.Lease()), o.running.byProcess()
	for _, id := range o.feeder.stale(sentBefore) {
		missing := slices.DeleteFunc(o.feeder.out(id, sentBefore), func(e process.Enqueue) bool { return len(unheld(e, held[id])) == 0 })
		somewhere := len(missing) == 0
		if !somewhere {
			pending, err := o.Work.Pending(ctx, id)
			if err != nil {
				return fmt.Errorf("look for the work of process %q: %w", id, err)
			}
			somewhere = pending > 0
		}
		if somewhere {
			o.feeder.found(id)
			continue
		}
		for _, e := range missing {
			e.Tasks = o.feeder.missedTwice(id, e, unheld(e, held[id]))
			if len(e.Tasks) > 0 {
				o.Log.Warn("orchestrator: nobody has these tasks; sending them again", o.inLog(id, tasksInLog(e.Address, e.Generation, e.Attempt, e.Tasks)...)...)
				o.Metrics.Tasks(metrics.TasksResent, e.Tasks.Len())
				o.feeder.resend(id, e)
			}
		}
	}
	return nil
}

// unheld is those of the tasks that nobody holds at this attempt.
func unheld(e process.Enqueue, holds []task.Hold) task.Ranges {
	left := e.Tasks
	for _, h := range holds {
		if h.Address == e.Address && h.Generation == e.Generation && h.Attempt == e.Attempt {
			left = left.Minus(h.Tasks)
		}
	}
	return left
}
