package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/mem"
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

func one(o *worker.Options) { o.Slots = 1 }

// says calls a function with what the worker logs, as it does.
func (w *world) says(hear func(message string)) func(*worker.Options) {
	return func(o *worker.Options) { o.Log = slog.New(heard{slog.NewTextHandler(w.log, nil), hear}) }
}

type heard struct {
	slog.Handler
	hear func(message string)
}

func (h heard) WithAttrs(attrs []slog.Attr) slog.Handler {
	return heard{h.Handler.WithAttrs(attrs), h.hear}
}

func (h heard) Handle(ctx context.Context, r slog.Record) error {
	h.hear(r.Message)
	return h.Handler.Handle(ctx, r)
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

	isolated(t, "goes on after a panic, a Goexit and an error, which fail one task each, and name its element", func(t *testing.T, w *world) {
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			switch t.Index() {
			case 3:
				return errors.New("bad luck")
			case 7:
				panic("at the disco")
			case 8, 9:
				runtime.Goexit()
			}
			return nil
		})
		w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40), called(40)), job(task.Span(40, 40)))
		results := w.results(80)
		failed := task.Of(3, 7, 8, 9)
		require.Equal(t, map[task.Outcome]task.Ranges{task.Failed: failed, task.Done: task.Span(0, 80).Minus(failed)}, byOutcome(t, results))
		for _, r := range results {
			if r.Outcome == task.Failed {
				require.Equal(t, fmt.Sprintf("e%d", r.Tasks[0].First), r.Failure.Element)
				require.Contains(t, r.Failure.Error, map[int]string{3: "bad luck", 7: "at the disco", 8: "runtime.Goexit", 9: "runtime.Goexit"}[r.Tasks[0].First])
			}
		}
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

	isolated(t, "has a timeout for each task", func(t *testing.T, w *world) {
		m := newMiddle(func(ctx context.Context, _ *worker.Task) error { <-ctx.Done(); return ctx.Err() })
		w.handle("h", func(ctx context.Context, t *worker.Task) error {
			time.Sleep(400 * time.Microsecond) // all together take longer than the timeout
			return errors.Join(ctx.Err(), m.handle(ctx, t))
		})
		w.run(one)
		limit := timeout(2 * time.Millisecond)
		w.warm(limit)
		w.send(job(task.Span(0, 40), limit))
		results := w.results(40)
		require.Equal(t, map[task.Outcome]task.Ranges{task.Failed: task.Of(7), task.Done: task.Span(0, 40).Minus(task.Of(7))}, byOutcome(t, results))
		for _, r := range results {
			if r.Failure != nil {
				require.Equal(t, task.TimedOut, r.Failure.Verdict)
			}
		}
		require.Equal(t, []int{1000, 0, 1, 2, 3, 4, 5, 6, 7}, m.called[:9])
	})

	isolated(t, "leaves a handler behind that ignores the end of its context: only its task fails", func(t *testing.T, w *world) {
		deaf := make(chan struct{})
		m := newMiddle(func(context.Context, *worker.Task) error { <-deaf; return nil })
		w.handle("h", m.handle)
		r := w.run()
		limit := timeout(time.Second)
		w.warm(limit)
		w.send(job(task.Span(0, 40), limit))
		require.Equal(t, map[task.Outcome]task.Ranges{task.Failed: task.Of(7), task.Done: task.Span(0, 40).Minus(task.Of(7))}, byOutcome(t, w.results(40)))
		require.Equal(t, 1, r.Abandoned())
		require.Len(t, m.called, 41, "each was called once")
		close(deaf)
		synctest.Wait()
		require.Zero(t, w.count(w.inbox), "what it makes of it in the end is nobody's")
	})

	isolated(t, "reports a task once whose handler returns as it is abandoned", func(t *testing.T, w *world) {
		deaf := make(chan struct{})
		m := newMiddle(func(context.Context, *worker.Task) error { <-deaf; return nil })
		w.handle("h", m.handle)
		r := w.run(w.says(func(message string) {
			if message == "worker: a task failed" {
				close(deaf)
				time.Sleep(time.Millisecond)
			}
		}))
		limit := timeout(time.Second)
		w.warm(limit)
		w.send(job(task.Span(0, 40), limit))
		require.Equal(t, map[task.Outcome]task.Ranges{task.Failed: task.Of(7), task.Done: task.Span(0, 40).Minus(task.Of(7))}, byOutcome(t, w.results(40)))
		require.Equal(t, 1, r.Abandoned())
		require.Zero(t, w.pending())
	})

	isolated(t, "does not abandon a handler that ends in time, however long it takes to note how", func(t *testing.T, w *world) {
		m := newMiddle(func(ctx context.Context, _ *worker.Task) error {
			<-ctx.Done()
			panic("at the disco")
		})
		w.handle("h", m.handle)
		r := w.run(w.says(func(message string) {
			if message == "worker: a handler panicked" {
				time.Sleep(10 * time.Second) // longer than the grace
			}
		}))
		limit := timeout(time.Second)
		w.warm(limit)
		w.send(job(task.Span(0, 40), limit))
		for _, result := range w.results(40) {
			if result.Outcome == task.Failed {
				require.Equal(t, task.Of(7), result.Tasks)
				require.Contains(t, result.Failure.Error, "at the disco")
			}
		}
		require.Zero(t, r.Abandoned())
	})

	isolated(t, "that stands still keeps nothing from other workers, though its only slot has begun the message", func(t *testing.T, w *world) {
		opened := make(chan struct{})
		m := newMiddle(func(context.Context, *worker.Task) error { <-opened; return nil })
		w.handle("h", m.handle)
		w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40)))
		<-m.begun
		begun := time.Now()
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 7), task.Returned: task.Span(8, 32)}, byOutcome(t, w.results(39)))
		require.LessOrEqual(t, time.Since(begun), 2*time.Second+receiveWait)
		close(opened)
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Of(7)}, byOutcome(t, w.results(1)))
		time.Sleep(time.Second)
		require.Zero(t, w.pending())
	})

	isolated(t, "ends with its process: nothing more of it begins or is reported", func(t *testing.T, w *world) {
		cause := make(chan error, 1)
		m := newMiddle(func(ctx context.Context, _ *worker.Task) error { <-ctx.Done(); cause <- context.Cause(ctx); return nil })
		w.handle("h", m.handle)
		w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40)))
		<-m.begun
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", []byte(`{"process":"p"}`)))
		require.ErrorContains(t, <-cause, "the task was cancelled")
		time.Sleep(time.Second)
		require.Equal(t, task.Span(0, 8).Union(task.Of(1000)), m.calls())
		require.Zero(t, w.count(w.inbox))
		require.Zero(t, w.pending())
	})

	isolated(t, "is handed back by a worker that leaves, but for what has begun", func(t *testing.T, w *world) {
		opened := make(chan struct{})
		m := newMiddle(func(context.Context, *worker.Task) error { <-opened; return nil })
		w.handle("h", m.handle)
		r := w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40)))
		<-m.begun
		r.Drain()
		begun := time.Now()
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 7), task.Returned: task.Span(8, 32)}, byOutcome(t, w.results(39)))
		require.Less(t, time.Since(begun), receiveWait)
		close(opened)
		<-r.ended
		require.NoError(t, r.err)
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Of(7)}, byOutcome(t, w.results(1)))
		require.Zero(t, w.pending())
	})

	isolated(t, "whose message is lost ends there; what was reported of it counts", func(t *testing.T, w *world) {
		cause := make(chan error, 1)
		m := newMiddle(func(ctx context.Context, _ *worker.Task) error { <-ctx.Done(); cause <- context.Cause(ctx); return nil })
		w.handle("h", m.handle)
		w.work = mem.NewQueue(mem.Options{Lease: 2 * time.Second}) // it is lost before what has not begun goes back
		away := &flaky{Queue: w.work, err: errors.New("it belongs to somebody else")}
		r := w.run(one, func(o *worker.Options) { o.Work = away })
		w.warm()
		w.send(job(task.Span(0, 40)))
		<-m.begun
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 7)}, byOutcome(t, w.results(7)))
		away.extend.Store(1000)
		away.receive.Store(1000)
		require.ErrorContains(t, <-cause, "the lease on the message was lost")
		r.Close()
		<-r.ended
		require.NoError(t, r.err)
		require.Zero(t, w.count(w.inbox))
		require.Equal(t, task.Span(0, 8).Union(task.Of(1000)), m.calls())
		require.Equal(t, 1, w.pending())
	})

	isolated(t, "over several messages loses the tasks of one, and no other", func(t *testing.T, w *world) {
		cause := make(chan error, 1)
		m := newMiddle(func(ctx context.Context, _ *worker.Task) error { <-ctx.Done(); cause <- context.Cause(ctx); return nil })
		w.handle("h", m.handle)
		w.work = mem.NewQueue(mem.Options{Lease: 3 * time.Millisecond})
		w.run(one, func(o *worker.Options) { o.Work = &denied{w.work, `"tasks":"7"`} })
		w.warm()
		for i := range 40 {
			w.send(job(task.Of(i)))
		}
		<-m.begun
		require.ErrorContains(t, <-cause, "the lease on the message was lost")
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 40).Minus(task.Of(7))}, byOutcome(t, w.results(39)))
		require.Equal(t, 1, w.pending())
		require.Equal(t, task.Span(0, 40).Union(task.Of(1000)), m.calls())
	})

	isolated(t, "does not begin what was lost while another task of it was executed", func(t *testing.T, w *world) {
		m := newMiddle(func(context.Context, *worker.Task) error { time.Sleep(3 * time.Millisecond); return nil })
		w.handle("h", m.handle)
		w.work = mem.NewQueue(mem.Options{Lease: 3 * time.Millisecond})
		w.run(one, func(o *worker.Options) { o.Work = &denied{w.work, `"tasks":"8"`} })
		w.warm()
		for i := range 40 {
			w.send(job(task.Of(i)))
		}
		require.Equal(t, map[task.Outcome]task.Ranges{task.Lost: task.Of(8), task.Done: task.Span(0, 40).Minus(task.Of(8))}, byOutcome(t, w.results(40)))
		require.False(t, m.calls().Contains(8))
	})

	isolated(t, "begins no other task once the worker is told to leave", func(t *testing.T, w *world) {
		var r *running
		m := newMiddle(func(context.Context, *worker.Task) error {
			r.Drain()
			time.Sleep(time.Millisecond)
			return nil
		})
		w.handle("h", m.handle)
		r = w.run(one)
		w.warm()
		w.send(job(task.Span(0, 40)))
		<-r.ended
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 8), task.Returned: task.Span(8, 32)}, byOutcome(t, w.results(40)))
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

// receiveWait is a little more than one look into the work queue takes.
const receiveWait = 250 * time.Millisecond

// unreported is more tasks than a worker begins that cannot report: as many as may
// wait, and those that were begun before it came to that.
const unreported = 2*4096 + 10

// denied refuses to extend the leases of some messages.
type denied struct {
	queue.Queue
	text string
}

func (d *denied) Extend(ctx context.Context, deliveries ...queue.Delivery) error {
	for _, one := range deliveries {
		if strings.Contains(string(one.Body), d.text) {
			return errors.New("it belongs to somebody else")
		}
	}
	return d.Queue.Extend(ctx, deliveries...)
}

func TestATaskIsBegunWithoutItsElementAndFailsWhereItNeedsIt(t *testing.T) {
	w := newWorld(t)
	list := w.sealedList("photo", "sea")
	gone := *list.Manifest
	gone.Key = "lists/gone"
	each := func(m task.Manifest) func(*task.Work) {
		return reads(task.Input{Local: "in", Mode: task.Element, Manifest: &m})
	}
	w.handle("h", nothing)
	w.handle("key", func(_ context.Context, t *worker.Task) error { _ = t.Key(); return nil })
	w.handle("emit", func(_ context.Context, t *worker.Task) error { return t.Emit("out", 1) })
	w.handle("fail", func(context.Context, *worker.Task) error { return errors.New("bad luck") })
	w.run()
	by := func(name string) func(*task.Work) { return func(w *task.Work) { w.Run.Handler = name } }
	require.Equal(t, task.Done, w.result(job(task.Of(0), each(gone))).Outcome)
	require.Contains(t, w.failure(job(task.Of(0), each(gone), by("key"))).Error, `read input "in"`)
	require.Contains(t, w.failure(job(task.Of(0), each(gone), by("emit"), writes("out"))).Error, `read input "in"`)
	require.Empty(t, w.failure(job(task.Of(0), each(gone), by("fail"))).Element)
	require.Equal(t, "sea", w.failure(job(task.Of(0), each(*list.Manifest), by("fail"))).Element, "though the handler did not look")
	done := w.result(job(task.Of(0), each(*list.Manifest), by("emit"), writes("out")))
	require.Equal(t, "sea", done.Parts[0].Key)
	require.Contains(t, w.failure(job(task.Of(1), each(*list.Manifest), by("emit"), writes("out"))).Error, "there is no part 1 of 1")
}
