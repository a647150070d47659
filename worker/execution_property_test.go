package worker_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// end is how a handler ends, or does not.
type end int

const (
	returns end = iota
	emits
	fails
	panics
	exits
	sleeps   // for half as long as a run takes
	stays    // until its context ends
	deaf     // even longer, until the test ends
	lastOfIt // none
)

// ends says, for tasks of a step, which end of a handler is reported as what.
var ends = map[end]task.Outcome{
	returns: task.Done, emits: task.Done, fails: task.Failed, panics: task.Failed, exits: task.Failed,
	sleeps: task.Done, stays: task.Failed, deaf: task.Failed,
}

// fate draws how each of n tasks ends: most as tasks should.
func fate(t *rapid.T, n int) []end {
	seldom := rapid.IntRange(1, 40).Draw(t, "seldom")
	all := make([]end, n)
	for i := range all {
		all[i] = end(rapid.IntRange(0, 1).Draw(t, "quick"))
		if rapid.IntRange(0, seldom).Draw(t, "odd") == 0 {
			all[i] = end(rapid.IntRange(int(fails), int(lastOfIt)-1).Draw(t, "how"))
		}
	}
	return all
}

// divided draws messages that have n tasks together.
func divided(t *rapid.T, n int) []task.Work {
	limit, typed := timeout(time.Duration(rapid.IntRange(1, 100).Draw(t, "timeout"))*time.Millisecond), rapid.Bool().Draw(t, "typed")
	all := task.Span(0, n)
	if rapid.Bool().Draw(t, "two lists of tasks") { // of every second, and the others
		var odd []int
		for i := 1; i < n; i += 2 {
			odd = append(odd, i)
		}
		all = task.Of(odd...)
	}
	var works []task.Work
	for _, rest := range []task.Ranges{all, task.Span(0, n).Minus(all)} {
		for len(rest) > 0 {
			var some task.Ranges
			some, rest = rest.Take(rapid.SampledFrom([]int{1, 1, 2, 5, 30, 200}).Draw(t, "tasks"))
			works = append(works, job(some, limit, func(w *task.Work) {
				w.Outputs = []task.Output{{Local: "out", Data: "out"}}
				if typed {
					w.Outputs[0].JSON = "number"
				}
			}))
		}
	}
	return works
}

func TestWhateverMessagesAndHandlersDoEachTaskIsCalledAndReportedOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 150).Draw(rt, "n")
		slots := rapid.IntRange(1, 4).Draw(rt, "slots")
		how, works := fate(rt, n), divided(rt, n)
		var results []task.Result
		called := make([]int, n)
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			over := make(chan struct{})
			var mu sync.Mutex
			w.handle("h", func(ctx context.Context, t *worker.Task) error {
				mu.Lock()
				called[t.Index()]++
				mu.Unlock()
				return how[t.Index()].play(ctx, t, over)
			})
			r := w.run(func(o *worker.Options) { o.Slots, o.Grace = slots, 50*time.Millisecond })
			// What waits for longer than that is handed back, and sent again by whoever sent it.
			for _, work := range works {
				w.send(work)
			}
			for left := n; left > 0; {
				for _, result := range w.results(1) {
					if result.Outcome == task.Returned {
						again := works[0]
						again.Tasks = result.Tasks
						w.send(again)
						continue
					}
					left -= result.Tasks.Len()
					results = append(results, w.listed(result))
				}
			}
			require.Zero(t, w.pending())
			close(over)
			r.Close()
			<-r.ended
			require.NoError(t, r.err)
		})
		for i := range n {
			require.Equal(rt, 1, called[i], "calls of task %d", i)
		}
		var all task.Ranges
		for _, r := range results {
			written := map[int]int{}
			for _, p := range r.Parts {
				written[p.Index]++
			}
			for i := range r.Tasks.All() {
				require.False(rt, all.Contains(i), "task %d is reported twice", i)
				require.Equal(rt, ends[how[i]], r.Outcome, "task %d, %+v", i, r.Failure)
				require.Equal(rt, map[bool]int{true: 1}[how[i] == emits], written[i], "parts of task %d", i)
				delete(written, i)
			}
			require.Empty(rt, written, "parts of tasks that the result does not speak for")
			all = all.Union(r.Tasks)
		}
		require.Equal(rt, task.Span(0, n), all)
	})
}

// play is a handler that ends so.
func (e end) play(ctx context.Context, t *worker.Task, over <-chan struct{}) error {
	switch e {
	case emits:
		return t.Emit("out", t.Index())
	case fails:
		return errors.New("bad luck")
	case panics:
		panic("at the disco")
	case exits:
		runtime.Goexit()
	case sleeps:
		time.Sleep(500 * time.Microsecond)
	case stays:
		<-ctx.Done()
		return ctx.Err()
	case deaf:
		<-over
	}
	return nil
}

// listed is a result with the parts that it keeps in a manifest.
func (w *world) listed(r task.Result) task.Result {
	w.t.Helper()
	if r.Manifest != nil {
		for p, err := range w.blobs.ReadReport(w.ctx, *r.Manifest) {
			require.NoError(w.t, err)
			r.Parts = append(r.Parts, p)
		}
	}
	return r
}
