package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// isolated runs a test under a clock of its own, which moves only when all wait.
func isolated(t *testing.T, name string, test func(t *testing.T, w *world)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, newWorld(t)) })
	})
}

// pending counts the messages of process p on the work queue, once all is quiet.
func (w *world) pending() int {
	w.t.Helper()
	synctest.Wait()
	n, err := w.work.Pending(w.ctx, "p")
	require.NoError(w.t, err)
	return n
}

// gate is a handler that says when it begins and waits to be let through.
type gate struct {
	begun  chan int
	opened chan struct{}
}

func newGate() *gate { return &gate{begun: make(chan int, 1000), opened: make(chan struct{})} }

func (g *gate) handle(ctx context.Context, t *worker.Task) error {
	g.begun <- t.Index()
	select {
	case <-g.opened:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestReceiving(t *testing.T) {
	isolated(t, "a worker holds no more than it runs", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		for i := range 5 {
			w.send(job(task.Of(i)))
		}
		w.run()
		<-g.begun
		<-g.begun
		synctest.Wait()
		free, err := w.work.Receive(w.ctx, 10, 0)
		require.NoError(t, err)
		assert.Len(t, free, 3, "what other workers could have")
		close(g.opened)
		w.results(2)
		assert.Equal(t, 3, w.pending(), "reported, then acknowledged")
	})

	isolated(t, "when tasks are short it holds some more, and hands back those that find no slot", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("long", g.handle)
		w.handle("h", nothing)
		w.run()
		w.send(job(task.Span(0, 10)))
		w.results(10)
		long := func(w *task.Work) { w.Run.Handler = "long" }
		for i := range 100 {
			w.send(job(task.Of(100+i), long))
		}
		<-g.begun
		<-g.begun
		synctest.Wait()
		free, err := w.work.Receive(w.ctx, 100, 0)
		require.NoError(t, err)
		assert.Less(t, len(free), 98)
		returned := w.results(98 - len(free))
		for _, r := range returned {
			assert.Equal(t, task.Returned, r.Outcome)
		}
		close(g.opened)
	})

	isolated(t, "the tasks of one message run each once, on all slots", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		w.run(func(o *worker.Options) { o.Slots = 4 })
		w.send(job(task.Of(1, 2, 3, 9)))
		begun := []int{<-g.begun, <-g.begun, <-g.begun, <-g.begun}
		assert.ElementsMatch(t, []int{1, 2, 3, 9}, begun)
		assert.Equal(t, 1, w.pending())
		close(g.opened)
		var tasks task.Ranges
		for _, r := range w.results(4) {
			tasks = tasks.Union(r.Tasks)
		}
		assert.Equal(t, task.Of(1, 2, 3, 9), tasks)
		assert.Zero(t, w.pending())
	})

	isolated(t, "a redelivery is reported as lost for exactly its tasks and attempt, and never run", func(t *testing.T, w *world) {
		w.handle("h", func(context.Context, *worker.Task) error { panic("it ran") })
		huge := job(task.Ranges{{First: 3, Count: task.MaxIndex - 3}}, func(w *task.Work) { w.Attempt, w.Generation = 2, 1 })
		w.send(huge)
		_, err := w.work.Receive(w.ctx, 1, 0) // by a worker that dies
		require.NoError(t, err)
		time.Sleep(w.work.Lease()) // the clock of the test
		w.run()
		assert.Equal(t, []task.Result{{
			Address: "step", Generation: 1, Attempt: 2, Tasks: huge.Tasks, Outcome: task.Lost,
		}}, w.results(huge.Tasks.Len()))
		assert.Zero(t, w.pending())
	})

	isolated(t, "a message that makes no sense goes into quarantine with the reason", func(t *testing.T, w *world) {
		for body, reason := range map[string]string{
			"junk":                                    "it is no task",
			`{"process":"p","address":"../x"}`:        "that is none",
			`{"process":"p","address":"a"}`:           "names no tasks",
			`{"process":"P!","address":"a"}`:          "its process",
			`{"process":"p","address":"a","tasks":4}`: "it is no task",
		} {
			require.NoError(t, w.work.Send(w.ctx, queue.Message{Key: "p", Body: []byte(body)}))
			made, err := worker.New(w.options())
			require.NoError(t, err)
			for range 4 {
				_, err = made.Step(w.ctx, time.Now())
				require.NoError(t, err)
			}
			bad, err := w.bad.Receive(w.ctx, 10, 0)
			require.NoError(t, err)
			require.Len(t, bad, 1, body)
			assert.Equal(t, "undecodable", bad[0].Key)
			var kept task.Quarantined
			require.NoError(t, json.Unmarshal(bad[0].Body, &kept))
			assert.Equal(t, body, string(kept.Body))
			assert.Contains(t, kept.Reason, reason)
			assert.Zero(t, w.pending())
		}
	})

	isolated(t, "without a quarantine it stays on the queue and comes once a lease", func(t *testing.T, w *world) {
		w.run(func(o *worker.Options) { o.Quarantine = nil })
		require.NoError(t, w.work.Send(w.ctx, queue.Message{Key: "p", Body: []byte("junk")}))
		time.Sleep(3*w.work.Lease() + time.Second)
		assert.Equal(t, 1, w.pending())
		assert.Equal(t, 4, strings.Count(w.log.String(), "it stays on the work queue"))
	})

	isolated(t, "a queue that is away is asked again", func(t *testing.T, w *world) {
		w.handle("h", nothing)
		away := &flaky{Queue: w.work}
		away.receive.Store(3)
		w.run(func(o *worker.Options) { o.Work = away })
		w.send(job(task.Of(0)))
		assert.Equal(t, task.Done, w.results(1)[0].Outcome)
	})
}

// flaky is a queue whose next calls fail, so often as each number says.
type flaky struct {
	queue.Queue
	send, receive, ack, extend atomic.Int32
	err                        error // nil: unavailable
}

func (f *flaky) fails(n *atomic.Int32) error {
	if n.Add(-1) < 0 {
		n.Store(0)
		return nil
	}
	if f.err != nil {
		return f.err
	}
	return queue.ErrUnavailable
}

func (f *flaky) Send(ctx context.Context, m ...queue.Message) error {
	if err := f.fails(&f.send); err != nil {
		return err
	}
	return f.Queue.Send(ctx, m...)
}

func (f *flaky) Receive(ctx context.Context, most int, wait time.Duration) ([]queue.Delivery, error) {
	if err := f.fails(&f.receive); err != nil {
		return nil, err
	}
	return f.Queue.Receive(ctx, most, wait)
}

func (f *flaky) Ack(ctx context.Context, d ...queue.Delivery) error {
	if err := f.fails(&f.ack); err != nil {
		return err
	}
	return f.Queue.Ack(ctx, d...)
}

func (f *flaky) Extend(ctx context.Context, d ...queue.Delivery) error {
	if err := f.fails(&f.extend); err != nil {
		return err
	}
	return f.Queue.Extend(ctx, d...)
}

func TestLeases(t *testing.T) {
	isolated(t, "a message is not delivered again while its task runs", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		w.run()
		w.send(job(task.Of(0)))
		<-g.begun
		time.Sleep(10 * w.work.Lease())
		again, err := w.work.Receive(w.ctx, 1, 0)
		require.NoError(t, err)
		assert.Empty(t, again)
		close(g.opened)
		assert.Equal(t, task.Done, w.results(1)[0].Outcome)
	})

	isolated(t, "a short outage of the queue costs nothing", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		away := &flaky{Queue: w.work}
		w.run(func(o *worker.Options) { o.Work = away })
		w.send(job(task.Of(0)))
		<-g.begun
		away.extend.Store(2)
		time.Sleep(3 * w.work.Lease())
		close(g.opened)
		assert.Equal(t, task.Done, w.results(1)[0].Outcome)
	})

	for name, err := range map[string]error{
		"a lease that the queue refuses to extend": errors.New("it belongs to somebody else"),
		"an outage longer than the lease":          queue.ErrUnavailable,
	} {
		isolated(t, name+" cancels the task, which is neither reported nor acknowledged", func(t *testing.T, w *world) {
			ended := make(chan error, 1)
			w.handle("h", func(ctx context.Context, _ *worker.Task) error {
				<-ctx.Done()
				ended <- context.Cause(ctx)
				return nil
			})
			away := &flaky{Queue: w.work, err: err}
			r := w.run(func(o *worker.Options) { o.Work = away })
			w.send(job(task.Of(0)))
			synctest.Wait()
			away.extend.Store(1000)
			away.receive.Store(1000)
			require.ErrorContains(t, <-ended, "the lease on the message was lost")
			r.Close()
			<-r.ended
			require.NoError(t, r.err)
			assert.Equal(t, 1, w.pending())
			reports, err := w.inbox.Receive(w.ctx, 10, 0)
			require.NoError(t, err)
			assert.Empty(t, reports)
		})
	}
}

func TestCancelling(t *testing.T) {
	isolated(t, "a cancel ends the tasks of the process, and their messages", func(t *testing.T, w *world) {
		ended := make(chan error, 2)
		w.handle("h", func(ctx context.Context, _ *worker.Task) error {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return ctx.Err()
		})
		w.handle("other", nothing)
		w.run()
		w.send(job(task.Span(0, 100)))
		synctest.Wait()
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", []byte(`{"process":"q"}`)))
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", []byte(`nonsense`)))
		assert.Equal(t, 1, w.pending())
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", []byte(`{"process":"p"}`)))
		require.ErrorContains(t, <-ended, "the task was cancelled")
		require.ErrorContains(t, <-ended, "the task was cancelled")
		assert.Zero(t, w.pending())
		w.send(job(task.Of(0), func(w *task.Work) { w.Process, w.Run.Handler = "q", "other" }))
		reports := w.reports(1)
		assert.Equal(t, []string{"q"}, []string{reports[0].Process})
	})
}

func TestCancellingBeforeAGeneration(t *testing.T) {
	isolated(t, "a cancel of older generations ends only those, begun or not", func(t *testing.T, w *world) {
		ended := make(chan string, 10)
		g := newGate()
		w.handle("h", func(ctx context.Context, t *worker.Task) error {
			err := g.handle(ctx, t)
			ended <- t.ID()
			return err
		})
		w.run(func(o *worker.Options) { o.Slots = 3 })
		of := func(address string, generation int, tasks task.Ranges) task.Work {
			return job(tasks, func(w *task.Work) { w.Address, w.Generation = address, generation })
		}
		w.send(of("old", 0, task.Of(0)), of("new", 1, task.Of(0)), of("other", 0, task.Span(0, 5)))
		for range 3 {
			<-g.begun
		}
		cancel, err := json.Marshal(task.Cancel{Process: "p", Before: map[string]int{"old": 1, "new": 1}})
		require.NoError(t, err)
		begun := time.Now()
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", cancel))
		require.Equal(t, "p/old[0]", <-ended)
		require.Less(t, time.Since(begun), time.Millisecond)
		require.Equal(t, 2, w.pending())

		cancel, err = json.Marshal(task.Cancel{Process: "p", Before: map[string]int{"other": 1}})
		require.NoError(t, err)
		require.NoError(t, w.signals.Publish(w.ctx, "cancel", cancel))
		<-ended
		require.Equal(t, 1, w.pending(), "what had not begun of it is dropped too")
		close(g.opened)
		results := w.results(1)
		require.Equal(t, []any{"new", 1, task.Done}, []any{results[0].Address, results[0].Generation, results[0].Outcome})
		require.Len(t, g.begun, 1, "the one that took the slot of the first; none began after its cancel")
		require.Zero(t, w.pending())
	})
}

func TestTheEndOfAHandler(t *testing.T) {
	isolated(t, "a timeout is a verdict of its own, and says what the handler said", func(t *testing.T, w *world) {
		w.handle("h", func(ctx context.Context, _ *worker.Task) error {
			<-ctx.Done()
			return errors.New("at row 17")
		})
		w.run()
		f := w.failure(job(task.Of(0), timeout(time.Second)))
		assert.Equal(t, task.Failure{Error: "ran longer than its timeout of 1s: at row 17", Verdict: task.TimedOut}, f)
	})

	isolated(t, "a handler that ignores its context is abandoned after a grace, and the slot goes on", func(t *testing.T, w *world) {
		deaf := make(chan struct{})
		w.handle("deaf", func(context.Context, *worker.Task) error { <-deaf; return nil })
		w.handle("h", nothing)
		r := w.run(func(o *worker.Options) { o.Slots, o.Grace = 1, 4*time.Second })
		begun := time.Now()
		f := w.failure(job(task.Of(0), timeout(2*time.Second), func(w *task.Work) { w.Run.Handler = "deaf" }))
		assert.Equal(t, 6*time.Second, time.Since(begun).Round(time.Second))
		assert.Equal(t, task.TimedOut, f.Verdict)
		assert.Equal(t, 1, r.Abandoned())
		assert.Equal(t, task.Done, w.result(job(task.Of(1))).Outcome)
		close(deaf)
	})

	isolated(t, "a handler that ends in time although its context ended is done", func(t *testing.T, w *world) {
		w.handle("h", func(ctx context.Context, _ *worker.Task) error { <-ctx.Done(); return nil })
		w.run()
		assert.Equal(t, task.Done, w.result(job(task.Of(0), timeout(time.Second))).Outcome)
	})

	t.Run("a panic fails the task with the handler's own frames, and so does Goexit", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(context.Context, *worker.Task) error {
			panic("at the disco")
		})
		w.handle("exit", func(context.Context, *worker.Task) error { runtime.Goexit(); return nil })
		w.handle("error", func(context.Context, *worker.Task) error { return (*broken)(nil) })
		w.run()
		f := w.failure(job(task.Of(0)))
		assert.Equal(t, task.Retry, f.Verdict)
		assert.Contains(t, f.Error, "panic: at the disco")
		assert.Contains(t, f.Error, "consumer_test.go:")
		assert.NotContains(t, f.Error, "worker.protect")
		assert.Contains(t, w.failure(job(task.Of(0), func(w *task.Work) { w.Run.Handler = "exit" })).Error, "runtime.Goexit")
		assert.Contains(t, w.failure(job(task.Of(0), func(w *task.Work) { w.Run.Handler = "error" })).Error, "nil")
	})

	t.Run("an error keeps head and tail within the bound, as text", func(t *testing.T) {
		w := newWorld(t)
		w.handle("h", func(context.Context, *worker.Task) error {
			return errors.New("head \xff" + strings.Repeat("ü", 3000) + " tail")
		})
		w.run()
		f := w.failure(job(task.Of(0)))
		assert.Regexp(t, `^head �ü+ … \[\d+ bytes left out\] … ü+ tail$`, f.Error)
	})
}

// broken is an error that cannot even say what it is.
type broken struct{ text string }

func (b *broken) Error() string { return b.text }

func TestThroughput(t *testing.T) {
	if testing.Short() {
		t.Skip("it sends 100,000 messages")
	}
	const n = 100_000
	w := newWorld(t)
	w.work = mem.NewQueue(mem.Options{Lease: time.Minute})
	w.handle("h", nothing)
	var sent []queue.Message
	for i := range n {
		body, err := json.Marshal(job(task.Of(i)))
		require.NoError(t, err)
		sent = append(sent, queue.Message{Key: "p", Body: body})
	}
	require.NoError(t, w.work.Send(w.ctx, sent...))
	var mu sync.Mutex
	reports := 0
	counted := &counting{Queue: w.inbox, sent: func(k int) { mu.Lock(); reports += k; mu.Unlock() }}
	begun := time.Now()
	w.run(func(o *worker.Options) { o.Inbox = counted })
	var done task.Ranges
	for _, r := range w.results(n) {
		done = done.Union(r.Tasks)
	}
	t.Logf("%.0f tasks/s, in %d reports", n/time.Since(begun).Seconds(), reports)
	assert.Equal(t, task.Span(0, n), done)
	mu.Lock()
	defer mu.Unlock()
	assert.Less(t, reports, n/20, "results travel together")
}

// counting is a queue that tells how many messages are sent to it.
type counting struct {
	queue.Queue
	sent func(n int)
}

func (c *counting) Send(ctx context.Context, m ...queue.Message) error {
	c.sent(len(m))
	return c.Queue.Send(ctx, slices.Clone(m)...)
}
