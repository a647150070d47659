package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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

// hear collects the heartbeats of a worker.
func (w *world) hear() func() []task.Heartbeat {
	w.t.Helper()
	l, err := w.signals.Subscribe("heartbeat")
	require.NoError(w.t, err)
	w.t.Cleanup(l.Stop)
	return func() []task.Heartbeat {
		synctest.Wait()
		var beats []task.Heartbeat
		for {
			select {
			case body := <-l.C():
				var b task.Heartbeat
				require.NoError(w.t, json.Unmarshal(body, &b))
				beats = append(beats, b)
			default:
				return beats
			}
		}
	}
}

func TestHeartbeats(t *testing.T) {
	isolated(t, "a worker says once a second, and when asked, what it holds and runs", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		heard := w.hear()
		r := w.run()
		w.send(job(task.Span(5, 10), func(w *task.Work) { w.Attempt = 2 }))
		assert.Len(t, heard(), 1, "at once")
		require.NoError(t, w.signals.Publish(w.ctx, "rollcall", nil))
		assert.Equal(t, task.Span(5, 10), heard()[0].Holding[0].Tasks)
		time.Sleep(2*time.Second + time.Millisecond)
		beats := heard()
		require.Len(t, beats, 2)
		hold := beats[1].Holding
		require.Len(t, hold, 1)
		assert.Equal(t, []any{"w1", 2}, []any{beats[1].Worker, beats[1].Slots})
		assert.Equal(t, task.Hold{
			Process: "p", Address: "step", Attempt: 2, Tasks: task.Span(5, 2), // the others have gone back
			Running: []task.Running{{Index: 5, Elapsed: task.Duration(2 * time.Second)}, {Index: 6, Elapsed: task.Duration(2 * time.Second)}},
		}, hold[0])
		assert.Equal(t, []string{"h"}, beats[1].Handlers)
		w.handle("words/count@2", nothing)
		require.NoError(t, w.signals.Publish(w.ctx, "rollcall", nil))
		beats = heard()
		require.Len(t, beats, 1)
		assert.Equal(t, []string{"h", "words/count", "words/count@2"}, beats[0].Handlers)
		close(g.opened)
		w.results(10)
		r.Drain()
		<-r.ended
		beats = heard()
		assert.Equal(t, task.Heartbeat{Worker: "w1", Slots: 2, Now: time.Now().UTC(), Leaving: true}, beats[len(beats)-1])
	})

	isolated(t, "messages of one attempt at a step are one entry", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		heard := w.hear()
		w.run()
		w.send(job(task.Of(1)), job(task.Of(7)))
		time.Sleep(time.Second)
		beats := heard()
		require.NotEmpty(t, beats)
		hold := beats[len(beats)-1].Holding
		require.Len(t, hold, 1)
		assert.Equal(t, task.Of(1, 7), hold[0].Tasks)
	})
}

func TestLeaving(t *testing.T) {
	isolated(t, "a drain lets run what runs, hands back what has not begun, and reports both", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		r := w.run()
		w.send(job(task.Span(0, 10)))
		<-g.begun
		<-g.begun
		r.Drain()
		synctest.Wait()
		close(g.opened)
		<-r.ended
		require.NoError(t, r.err)
		tasks := map[task.Outcome]task.Ranges{}
		for _, result := range w.results(10) {
			tasks[result.Outcome] = tasks[result.Outcome].Union(result.Tasks)
		}
		assert.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Span(0, 2), task.Returned: task.Span(2, 8)}, tasks)
		assert.Zero(t, w.pending())
	})

	isolated(t, "what runs longer than the drain may take is cancelled and handed back", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		ctx, cancel := context.WithCancel(w.ctx)
		w.ctx = ctx
		r := w.run(func(o *worker.Options) { o.DrainTimeout = time.Minute })
		w.ctx = context.WithoutCancel(ctx)
		w.send(job(task.Of(0)))
		<-g.begun
		begun := time.Now()
		cancel()
		<-r.ended
		require.NoError(t, r.err)
		assert.Equal(t, time.Minute, time.Since(begun).Round(time.Second))
		result := w.results(1)[0]
		assert.Equal(t, task.Returned, result.Outcome)
		assert.Nil(t, result.Failure)
		assert.Zero(t, w.pending())
	})

	isolated(t, "Close does not wait, not even for a handler that ignores its context", func(t *testing.T, w *world) {
		deaf := make(chan struct{})
		w.handle("h", func(context.Context, *worker.Task) error { <-deaf; return nil })
		r := w.run(func(o *worker.Options) { o.DrainTimeout, o.Grace = time.Hour, time.Hour })
		w.send(job(task.Of(0)))
		synctest.Wait()
		begun := time.Now()
		r.Drain()
		r.Close()
		<-r.ended
		assert.Less(t, time.Since(begun), time.Second)
		assert.Equal(t, task.Returned, w.results(1)[0].Outcome)
		close(deaf)
	})

	isolated(t, "a signal that names it makes it leave, and it says at once that it takes nothing more", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		heard := w.hear()
		r := w.run()
		w.send(job(task.Span(0, 5)))
		<-g.begun
		<-g.begun
		heard()
		for _, body := range []string{`{"worker":"w2"}`, `{"worker":""}`, `nonsense`} {
			require.NoError(t, w.signals.Publish(w.ctx, "drain", []byte(body)))
		}
		require.Empty(t, heard())
		require.False(t, r.Drained())
		require.NoError(t, w.signals.Publish(w.ctx, "drain", []byte(`{"worker":"w1"}`)))
		beats := heard()
		require.Len(t, beats, 1)
		require.True(t, beats[0].Draining)
		require.True(t, r.Drained())
		back := w.results(3)[0]
		require.Equal(t, []any{task.Span(2, 3), task.Returned}, []any{back.Tasks, back.Outcome})
		close(g.opened)
		<-r.ended
		require.NoError(t, r.err)
		require.Equal(t, task.Done, w.results(2)[0].Outcome)
		require.Zero(t, w.pending())
	})

	isolated(t, "what waits for a slot, or for room, is handed back as well, at no cost", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		r := w.run(func(o *worker.Options) { o.Pool, o.Slots, o.Offer = "big", 2, task.Resources{CPU: 2, Memory: 32 * gb} })
		big := func(tasks task.Ranges) task.Work {
			return job(tasks, needs(task.Resources{Memory: 20 * gb}), func(w *task.Work) { w.Pool = "big" })
		}
		w.send(big(task.Of(0)))
		<-g.begun
		w.send(big(task.Span(1, 2))) // no room
		synctest.Wait()
		r.Drain()
		back := w.results(2)
		require.Equal(t, []task.Result{{Address: "step", Attempt: 1, Tasks: task.Span(1, 2), Outcome: task.Returned}}, back)
		close(g.opened)
		<-r.ended
		require.NoError(t, r.err)
		require.Equal(t, task.Done, w.results(1)[0].Outcome)
		require.Zero(t, w.pending())
	})

	isolated(t, "a worker that cannot report leaves all the same and says so", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		away := &flaky{Queue: w.inbox}
		away.send.Store(1_000_000)
		r := w.run(func(o *worker.Options) { o.Inbox = away })
		w.send(job(task.Of(0)))
		<-g.begun
		close(g.opened)
		r.Drain()
		<-r.ended
		require.ErrorContains(t, r.err, "leave: 1 results could not be reported in time")
		assert.Equal(t, 1, w.pending())
	})

	isolated(t, "an idle worker leaves within the time of one look into the queue, and runs only once", func(t *testing.T, w *world) {
		r := w.run()
		synctest.Wait()
		begun := time.Now()
		r.Drain()
		<-r.ended
		assert.LessOrEqual(t, time.Since(begun), 250*time.Millisecond)
		require.ErrorContains(t, r.Run(w.ctx), "it ran before")
		_, err := r.Step(w.ctx, time.Now())
		require.ErrorContains(t, err, "it ran before")
	})
}
