package worker_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// middle is a handler of which task 7 does something else than the others. It
// knows which tasks it was called for, in which order.
type middle struct {
	mu     sync.Mutex
	called []int
	begun  chan struct{} // closed when task 7 begins
	seven  worker.HandlerFunc
}

func newMiddle(seven worker.HandlerFunc) *middle {
	return &middle{begun: make(chan struct{}), seven: seven}
}

func (m *middle) handle(ctx context.Context, t *worker.Task) error {
	m.mu.Lock()
	m.called = append(m.called, t.Index())
	m.mu.Unlock()
	if t.Index() == 7 {
		close(m.begun)
		return m.seven(ctx, t)
	}
	return nil
}

func (m *middle) calls() task.Ranges {
	m.mu.Lock()
	defer m.mu.Unlock()
	return task.Of(m.called...)
}

// warm makes the worker know that tasks of the step are short: then the first half
// of a message is a run, if there is one slot.
func (w *world) warm(change ...func(*task.Work)) {
	w.t.Helper()
	w.send(job(task.Of(1000), change...))
	require.Equal(w.t, task.Done, w.results(1)[0].Outcome)
	synctest.Wait() // until the worker knows that it is reported
}

// byOutcome sorts tasks, of which none may be reported twice.
func byOutcome(t *testing.T, results []task.Result) map[task.Outcome]task.Ranges {
	t.Helper()
	sorted := map[task.Outcome]task.Ranges{}
	var all task.Ranges
	for _, r := range results {
		require.Empty(t, r.Tasks.Minus(r.Tasks.Minus(all)), "reported twice")
		all = all.Union(r.Tasks)
		sorted[r.Outcome] = sorted[r.Outcome].Union(r.Tasks)
	}
	return sorted
}

// called is an element a task, called e0, e1 ….
func called(n int) func(*task.Work) {
	in := task.Input{Local: "in", Mode: task.Element}
	for i := range n {
		in.Lists = append(in.Lists, []task.Part{{Name: fmt.Sprintf("e%d", i), Value: []byte("1")}})
	}
	return reads(in)
}

func TestARunOfTasks(t *testing.T) {
	isolated(t, "is executed in order by one goroutine", func(t *testing.T, w *world) {
		var order []int
		var goroutines []string
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			stack := make([]byte, 64)
			order, goroutines = append(order, t.Index()), append(goroutines, strings.Fields(string(stack[:runtime.Stack(stack, false)]))[1])
			return nil
		})
		w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40)))
		results := w.results(40)
		require.Len(t, order, 41)
		for i, index := range order[1:] {
			require.Equal(t, i, index)
			if i < 20 {
				require.Equal(t, goroutines[1], goroutines[i+1])
			}
		}
		require.Len(t, results, 1, "what ends alike is one result")
		require.Equal(t, task.Span(0, 40), results[0].Tasks)
	})

	isolated(t, "that takes long keeps back neither what it has done nor what it has not begun", func(t *testing.T, w *world) {
		opened := make(chan struct{})
		m := newMiddle(func(context.Context, *worker.Task) error { <-opened; return nil })
		w.handle("h", m.handle)
		w.run()
		w.warm()
		heard := w.hear()
		w.send(job(task.Span(0, 40)))
		<-m.begun
		begun := time.Now()
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 40).Minus(task.Of(7))}, byOutcome(t, w.results(39)))
		require.Less(t, time.Since(begun), 10*time.Millisecond)
		time.Sleep(2 * time.Second)
		beats := heard()
		hold := beats[len(beats)-1].Holding
		require.Len(t, hold, 1)
		require.Equal(t, task.Of(7), hold[0].Tasks)
		require.Len(t, hold[0].Running, 1)
		require.Equal(t, 7, hold[0].Running[0].Index)
		require.GreaterOrEqual(t, time.Duration(hold[0].Running[0].Elapsed), time.Second)
		require.Equal(t, 1, w.pending(), "a task of it is not reported")
		close(opened)
		result := w.results(1)[0]
		require.Equal(t, []any{task.Of(7), task.Done}, []any{result.Tasks, result.Outcome})
		require.GreaterOrEqual(t, time.Duration(result.Elapsed), 2*time.Second, "its own time")
		require.Zero(t, w.pending())
	})

	isolated(t, "says of the task that is executed how long it takes, and how far it is", func(t *testing.T, w *world) {
		opened := make(chan struct{})
		m := newMiddle(func(_ context.Context, t *worker.Task) error { <-opened; return nil })
		w.handle("h", func(ctx context.Context, t *worker.Task) error {
			t.Progress(0.5, fmt.Sprint("at ", t.Index()))
			return m.handle(ctx, t)
		})
		w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40)))
		<-m.begun
		heard := w.hear()
		require.NoError(t, w.signals.Publish(w.ctx, "rollcall", nil))
		beats := heard()
		hold := beats[len(beats)-1].Holding[0]
		require.Equal(t, task.Span(0, 40), hold.Tasks, "none is reported")
		require.Equal(t, []task.Running{{Index: 7, Progress: 0.5, Message: "at 7"}}, hold.Running)
		close(opened)
		w.results(40)
	})

	isolated(t, "keeps two executions of one task apart, of which only the parts of one may count", func(t *testing.T, w *world) {
		w.handle("h", func(_ context.Context, t *worker.Task) error { return t.Emit("out", t.Index()) })
		w.run(one)
		w.warm(writes("out"))
		for range 4 {
			w.send(job(task.Of(5), writes("out")), job(task.Of(6), writes("out")))
		}
		for _, r := range w.results(8) {
			require.Len(t, r.Parts, r.Tasks.Len())
		}
	})

	isolated(t, "may be of a message of all the tasks there can be: what has begun costs something, and not what it names", func(t *testing.T, w *world) {
		var called atomic.Int64
		w.handle("h", func(context.Context, *worker.Task) error { called.Add(1); return nil })
		away := &flaky{Queue: w.inbox}
		away.send.Store(10_000)
		r := w.run(func(o *worker.Options) { o.Inbox = away })
		all := task.Span(0, task.MaxIndex+1)
		w.send(job(all), job(all, func(w *task.Work) { w.Run.Handler = "unknown" }))
		time.Sleep(5 * time.Second)
		away.send.Store(0)
		left, unserved := all.Len(), all.Len()
		for left > 0 || unserved > 0 {
			for _, result := range w.results(1) {
				if result.Outcome == task.Unserved {
					unserved -= result.Tasks.Len()
				} else {
					left -= result.Tasks.Len()
				}
			}
		}
		require.Less(t, called.Load(), int64(unreported))
		r.Drain()
		<-r.ended
		require.NoError(t, r.err)
		require.Zero(t, w.pending())
	})

	isolated(t, "is as long as its results are small", func(t *testing.T, w *world) {
		w.handle("h", func(_ context.Context, t *worker.Task) error { return t.Emit("out", strings.Repeat("x", 1000)) })
		w.run(one)
		typed := func(w *task.Work) { w.Outputs = []task.Output{{Local: "out", Data: "out", JSON: "string"}} }
		w.warm(typed)
		w.send(job(task.Span(0, 4000), typed))
		for _, report := range w.reports(4000) {
			size := 0
			for _, r := range report.Results {
				for _, p := range r.Parts {
					size += len(p.Value)
				}
			}
			require.Less(t, size, 512<<10, "what a server takes in a message is 1 MiB")
		}
	})
}

// unreported is more tasks than a worker begins that cannot report: as many as may
// wait, and those that were begun before it came to that.
const unreported = 2*4096 + 10
