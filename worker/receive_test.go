package worker_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

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
