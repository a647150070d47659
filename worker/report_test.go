package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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

func TestReporting(t *testing.T) {
	isolated(t, "tasks that end close together are one result in one report, by step and outcome", func(t *testing.T, w *world) {
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			if t.Index()%10 == 0 {
				return errors.New("bad luck")
			}
			return t.Emit("out", strings.Repeat("x", t.Index()))
		})
		w.run(func(o *worker.Options) { o.Slots = 1 })
		w.send(job(task.Span(0, 100), writes("out")))
		reports := w.reports(100)
		require.Len(t, reports, 1)
		require.Len(t, reports[0].Results, 2)
		failed, done := reports[0].Results[0], reports[0].Results[1]
		assert.Equal(t, task.Of(0, 10, 20, 30, 40, 50, 60, 70, 80, 90), failed.Tasks)
		assert.Equal(t, "bad luck", failed.Failure.Error)
		assert.Equal(t, task.Span(0, 100).Minus(failed.Tasks), done.Tasks)
		assert.Empty(t, done.Parts)
		require.NotNil(t, done.Manifest, "90 parts are more than travel inline")
		assert.Regexp(t, `^p/step/0/reports/1-[0-9a-f]{16}$`, done.Manifest.Key)
		listed := 0
		for p, err := range w.blobs.ReadReport(w.ctx, *done.Manifest) {
			require.NoError(t, err)
			assert.Len(t, p.Value, p.Index+len(`""`))
			listed++
		}
		assert.Equal(t, 90, listed)
	})

	isolated(t, "what tasks write is listed in few manifests, and waits a little for that", func(t *testing.T, w *world) {
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			time.Sleep(50 * time.Microsecond)
			return t.Emit("out", strings.Repeat("x", 200))
		})
		w.run()
		w.send(job(task.Span(0, 1600), writes("out"))) // for 40 ms
		manifests := 0
		for _, r := range w.results(1600) {
			if r.Manifest != nil {
				manifests++
			}
		}
		assert.Positive(t, manifests)
		assert.LessOrEqual(t, manifests, 6)
	})

	isolated(t, "as many results as may wait to be reported wait for no others", func(t *testing.T, w *world) {
		w.handle("h", nothing)
		w.run()
		begun := time.Now()
		w.send(job(task.Span(0, 100_000)))
		w.results(100_000)
		assert.Less(t, time.Since(begun), 10*time.Millisecond, "the clock moves only while all wait")
	})

	isolated(t, "the inbox being away delays the report, and the message is acknowledged after it", func(t *testing.T, w *world) {
		w.handle("h", nothing)
		away := &flaky{Queue: w.inbox}
		away.send.Store(8)
		var order []string
		w.run(func(o *worker.Options) {
			o.Inbox = away
			o.Failpoint = func(name string) {
				order = append(order, fmt.Sprint(name, " ", w.count(w.inbox), " ", w.count(w.work)))
			}
		})
		w.send(job(task.Of(0)))
		time.Sleep(w.work.Lease())
		require.Equal(t, task.Done, w.results(1)[0].Outcome)
		assert.Zero(t, w.pending())
		assert.Equal(t, "worker.before-report 0 1", order[0])
		assert.Equal(t, "worker.before-report 0 1", order[len(order)-2])
		assert.Equal(t, "worker.after-report 1 1", order[len(order)-1])
	})

	isolated(t, "while reports do not get through, no more than so many tasks are executed", func(t *testing.T, w *world) {
		ran := make(chan int, 100_000)
		w.handle("h", func(_ context.Context, t *worker.Task) error { ran <- t.Index(); return nil })
		away := &flaky{Queue: w.inbox}
		away.send.Store(10_000)
		w.run(func(o *worker.Options) { o.Inbox = away })
		w.send(job(task.Span(0, 100_000)))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Less(t, len(ran), unreported)
		away.send.Store(0)
		all := byOutcome(t, w.results(100_000))
		assert.Equal(t, len(ran), all[task.Done].Len())
		assert.Equal(t, 100_000-len(ran), all[task.Returned].Len(), "others may be able to report")
	})

	isolated(t, "an acknowledgement that fails is tried again", func(t *testing.T, w *world) {
		w.handle("h", nothing)
		away := &flaky{Queue: w.work}
		away.ack.Store(2)
		w.run(func(o *worker.Options) { o.Work = away })
		w.send(job(task.Of(0)))
		w.results(1)
		time.Sleep(time.Second)
		assert.Zero(t, w.pending())
	})

	isolated(t, "a report too large for the inbox is split, and a result too large is a failure", func(t *testing.T, w *world) {
		w.inbox = newInbox(mem.Options{MaxBody: 2000})
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			switch t.Index() {
			case 0:
				return errors.New(strings.Repeat("a", 800))
			case 1:
				return errors.New(strings.Repeat("b", 800))
			case 2:
				return errors.New(strings.Repeat("c", 800))
			}
			return t.Emit("out", strings.Repeat("x", 3000))
		})
		w.run(func(o *worker.Options) { o.Slots = 1 })
		w.send(job(task.Span(0, 4), writes("out")))
		results := w.results(4)
		require.Len(t, results, 4)
		assert.Equal(t, task.Retry, results[0].Failure.Verdict)
		assert.Equal(t, task.Permanent, results[3].Failure.Verdict)
		assert.Contains(t, results[3].Failure.Error, "does not fit into the inbox")
		assert.Zero(t, w.pending())
	})

	isolated(t, "parts that cannot be listed make the tasks fail, and hold up nothing else", func(t *testing.T, w *world) {
		w.handle("h", func(_ context.Context, t *worker.Task) error {
			return errors.Join(t.Emit("out", strings.Repeat("x", 3000)), t.Emit("out", strings.Repeat("y", 3000)))
		})
		b, err := w.blobs.Create(w.ctx, "p/step/0/reports/1-taken")
		require.NoError(t, err)
		require.NoError(t, b.Close())
		w.run(func(o *worker.Options) { o.Nonce = func() string { return "taken" } })
		f := w.failure(job(task.Of(0), writes("out")))
		assert.Equal(t, task.Retry, f.Verdict)
		assert.Contains(t, f.Error, "store what step[0] produced")
		w.handle("plain", nothing)
		assert.Equal(t, task.Done, w.result(job(task.Of(1), func(w *task.Work) { w.Run.Handler = "plain" })).Outcome)
	})
}

// count is the number of messages of process p in a queue.
func (w *world) count(q queue.Queue) int {
	n, err := q.Pending(w.ctx, "p")
	require.NoError(w.t, err)
	return n
}

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
