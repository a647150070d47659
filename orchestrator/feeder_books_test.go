package orchestrator

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// unsure is a work queue whose Send fails now and then: nothing, or all, is stored
// nevertheless.
type unsure struct {
	queue.Queue
	fails  bool
	stores bool
}

func (u *unsure) Send(ctx context.Context, messages ...queue.Message) error {
	if !u.fails {
		return u.Queue.Send(ctx, messages...)
	}
	if u.fails = false; u.stores {
		_ = u.Queue.Send(ctx, messages...)
	}
	return queue.ErrUnavailable
}

// balanced looks whether what lanes and accounts have out is what rows have out.
func balanced(t require.TestingT, f *feeder) {
	outOf, timeOf, heldOf := map[*account]int{}, map[*account]time.Duration{}, map[*lane]int{}
	for _, fd := range f.feeds {
		for _, r := range fd.rows {
			waiting := 0
			for _, q := range r.pending {
				waiting += q.left().Len()
			}
			require.Equal(t, waiting, r.waiting)
			for _, o := range r.out.runs {
				outOf[r.account] += o.Count * o.parts
				timeOf[r.account] += time.Duration(o.Count) * r.cost()
			}
		}
	}
	lanes := map[*lane]*lane{}
	for _, fd := range f.feeds {
		for _, a := range fd.accounts {
			require.Equal(t, outOf[a], a.out)
			require.Equal(t, timeOf[a], a.time)
			if lanes[a.lane] == nil {
				lanes[a.lane] = &lane{}
			}
			sum := lanes[a.lane]
			sum.out, sum.time = sum.out+a.out, sum.time+a.time
			if !a.favoured {
				sum.paidOut, sum.paidTime = sum.paidOut+a.out, sum.paidTime+a.time
			}
			heldOf[a.lane] += a.held
		}
	}
	for name, l := range f.lanes {
		sum := lanes[l]
		if sum == nil {
			sum = &lane{}
		}
		require.Equal(t, []any{sum.out, sum.time, sum.paidOut, sum.paidTime, heldOf[l]}, []any{l.out, l.time, l.paidOut, l.paidTime, l.held}, "lane %s", name)
	}
}

// Whatever comes back of messages of many tasks, in whatever parts, how often, and
// whatever persons ask for meanwhile: what counts as out is what is out, and in the
// end everything is done.
func TestWhatIsOutInPartsOfMessagesIsCountedAsItComesBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t)
		work := &unsure{Queue: r.work}
		r.options.Work = work
		r.restart()
		var held []task.Work // by the workers
		crew := false        // of the pool; else a worker that takes any pool does its tasks
		beat := func() {
			r.beat(task.Heartbeat{Worker: "in p", Slots: 3, Now: r.now, Pool: "p", Leaving: !crew})
			b := task.Heartbeat{Worker: "w", Slots: 4, Now: r.now, AnyPool: true}
			for _, w := range held {
				b.Holding = append(b.Holding, task.Hold{Process: w.Process, Address: w.Address, Generation: w.Generation, Attempt: w.Attempt, Tasks: w.Tasks})
			}
			r.beat(b)
		}
		step := func() {
			for range 3 {
				_, _ = r.owner.Step(r.ctx, r.now) // it is tried again
				balanced(rt, r.owner.feeder)
			}
		}
		answer := func(w task.Work, outcome task.Outcome) {
			result := task.Result{Address: w.Address, Generation: w.Generation, Attempt: w.Attempt, Tasks: w.Tasks, Outcome: outcome, Elapsed: task.Duration(w.Tasks.Len() * 1000)}
			if outcome == task.Failed {
				result.Failure = &task.Failure{Error: "bad luck", Verdict: task.Retry}
			}
			r.report(w.Process, result)
		}
		beat()
		ids := []string{"p", "q"}
		received := func() []task.Work { return append(r.received(), r.in("p")...) }
		for _, id := range ids {
			def := fanOut(inPool(rapid.SampledFrom([]string{"", "p"}).Draw(rt, "pool")))
			def.Steps[0].Retry.Attempts = 1000
			def.Steps[0].Rate = rapid.SampledFrom([]definition.Rate{{}, {}, {Count: 20, Per: task.Duration(time.Second)}}).Draw(rt, "rate")
			r.send(id, def, rapid.IntRange(1, 400).Draw(rt, "tasks"))
		}
		step()
		for range rapid.IntRange(1, 40).Draw(rt, "turns") {
			r.pass(time.Duration(rapid.SampledFrom([]int{0, 1, 50, 500, 3000}).Draw(rt, "ms")) * time.Millisecond)
			id := rapid.SampledFrom(ids).Draw(rt, "process")
			switch rapid.IntRange(0, 14).Draw(rt, "what") {
			case 0:
				r.command(id, process.PauseProcess{Asked: process.Asked{Command: r.now.String()}})
			case 1:
				r.command(id, process.ResumeProcess{Asked: process.Asked{Command: r.now.String()}})
			case 2:
				r.command(id, process.RestartFrom{Address: "work", Asked: process.Asked{Command: r.now.String()}})
			case 3:
				r.restart()
			case 4, 5:
				work.fails, work.stores = true, rapid.Bool().Draw(rt, "stored")
			case 6:
				crew = !crew
				beat()
			case 7, 8:
				beat()
			default:
				held = append(held, received()...)
				var left []task.Work
				for _, w := range held {
					for len(w.Tasks) > 0 && rapid.IntRange(0, 3).Draw(rt, "more") > 0 {
						one := w
						one.Tasks, w.Tasks = w.Tasks.Take(rapid.IntRange(1, 40).Draw(rt, "part"))
						answer(one, rapid.SampledFrom([]task.Outcome{task.Done, task.Done, task.Done, task.Failed, task.Lost, task.Returned, task.Unserved}).Draw(rt, "outcome"))
					}
					if len(w.Tasks) > 0 {
						left = append(left, w)
					}
				}
				held = left
			}
			step()
		}
		for _, id := range ids {
			r.command(id, process.ResumeProcess{Asked: process.Asked{Command: "at last"}})
		}
		for range 200 {
			for _, w := range append(held, received()...) {
				answer(w, task.Done)
			}
			held = nil
			beat()
			r.pass(10 * time.Second)
			step()
		}
		for _, id := range ids {
			s := r.state(id)
			require.True(rt, s.Ended(), "%s: %s", id, s.Status)
		}
		require.Empty(rt, r.owner.feeder.feeds)
	})
}
