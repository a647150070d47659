package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// stepped is a world with a clock that the test moves.
func stepped(t *testing.T) (w *world, now *time.Time) {
	w = newWorld(t)
	clock := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	read := func() time.Time { return clock }
	w.work = mem.NewQueue(mem.Options{Now: read})
	w.inbox = newInbox(mem.Options{Now: read})
	return w, &clock
}

func (w *world) worker(change ...func(*worker.Options)) *worker.Worker {
	w.t.Helper()
	o := w.options()
	for _, c := range change {
		c(&o)
	}
	made, err := worker.New(o)
	require.NoError(w.t, err)
	return made
}

func TestStepping(t *testing.T) {
	t.Run("a Step does one thing, and says when there may be another", func(t *testing.T) {
		w, now := stepped(t)
		w.handle("h", nothing)
		made := w.worker()
		w.send(job(task.Of(0)))
		var seen []string
		for range 6 {
			next, err := made.Step(w.ctx, *now)
			require.NoError(t, err)
			seen = append(seen, fmt.Sprintf("inbox %d, work %d, next in %v", w.count(w.inbox), w.count(w.work), next.Sub(*now)))
		}
		assert.Equal(t, []string{
			"inbox 0, work 1, next in 0s", // heartbeat
			"inbox 0, work 1, next in 0s", // receive
			"inbox 0, work 1, next in 0s", // execute
			"inbox 1, work 1, next in 0s", // report
			"inbox 1, work 0, next in 0s", // acknowledge
			"inbox 1, work 0, next in 200ms",
		}, seen)
		made.Drain()
		for {
			next, err := made.Step(w.ctx, *now)
			require.NoError(t, err)
			if next.IsZero() {
				break
			}
		}
		next, err := made.Step(w.ctx, *now)
		require.NoError(t, err)
		assert.True(t, next.IsZero(), "it has left")
	})

	t.Run("a worker that is drained between two Steps hands back what it has not begun", func(t *testing.T) {
		w, now := stepped(t)
		w.handle("h", nothing)
		made := w.worker()
		w.send(job(task.Span(0, 5)))
		for range 3 { // a heartbeat, the message, a task
			_, err := made.Step(w.ctx, *now)
			require.NoError(t, err)
		}
		made.Drain()
		for next := *now; !next.IsZero(); {
			var err error
			next, err = made.Step(w.ctx, *now)
			require.NoError(t, err)
		}
		require.Equal(t, map[task.Outcome]task.Ranges{task.Done: task.Of(0), task.Returned: task.Span(1, 4)}, byOutcome(t, w.results(5)))
		require.Zero(t, w.count(w.work))
	})

	t.Run("a worker dropped after any Step loses no task, and none is done twice unless it was reported", func(t *testing.T) {
		for crashAt := range 7 {
			w, now := stepped(t)
			ran := 0
			w.handle("h", func(context.Context, *worker.Task) error { ran++; return nil })
			w.send(job(task.Of(0)))
			victim := w.worker(func(o *worker.Options) { o.Name = "victim" })
			for range crashAt {
				_, err := victim.Step(w.ctx, *now)
				require.NoError(t, err)
			}
			*now = now.Add(w.work.Lease())
			next := w.worker()
			for range 8 {
				_, err := next.Step(w.ctx, *now)
				require.NoError(t, err)
			}
			var outcomes []task.Outcome
			deliveries, err := w.inbox.Receive(w.ctx, 10, 0)
			require.NoError(t, err)
			for _, d := range deliveries {
				var e task.Envelope
				require.NoError(t, json.Unmarshal(d.Body, &e))
				outcomes = append(outcomes, e.Report.Results[0].Outcome)
			}
			want := map[int][]task.Outcome{
				0: {task.Done}, 1: {task.Done}, // it had not been received
				2: {task.Lost}, 3: {task.Lost}, // received; executed
				4: {task.Done, task.Lost},      // reported
				5: {task.Done}, 6: {task.Done}, // acknowledged
			}
			assert.Equal(t, want[crashAt], outcomes, "dropped after %d Steps", crashAt)
			assert.LessOrEqual(t, ran, 1)
			assert.Zero(t, w.count(w.work))
		}
	})

	t.Run("leases are extended in time, however long it is stepped", func(t *testing.T) {
		w, now := stepped(t)
		w.handle("h", nothing)
		away := &flaky{Queue: w.inbox}
		away.send.Store(1 << 20)
		made := w.worker(func(o *worker.Options) { o.Inbox = away })
		w.send(job(task.Of(0)))
		for range 3 {
			_, err := made.Step(w.ctx, *now)
			require.NoError(t, err)
		}
		for range 1000 {
			next, _ := made.Step(w.ctx, *now) // its report does not get through
			*now = now.Add(max(100*time.Millisecond, next.Sub(*now)))
			again, err := w.work.Receive(w.ctx, 1, 0)
			require.NoError(t, err)
			require.Empty(t, again)
		}
	})

	t.Run("the same seed gives the same history", func(t *testing.T) {
		history := func(seed uint64) string {
			w, now := stepped(t)
			random := rand.New(rand.NewPCG(seed, 1))
			w.handle("h", func(_ context.Context, t *worker.Task) error {
				if random.IntN(5) == 0 {
					return fmt.Errorf("no luck")
				}
				return t.Emit("out", t.ID())
			})
			nonces := 0
			hire := func(name string) *worker.Worker {
				return w.worker(func(o *worker.Options) {
					o.Name = name
					o.Nonce = func() string { nonces++; return fmt.Sprint("n", nonces) }
				})
			}
			workers := []*worker.Worker{hire("a"), hire("b"), hire("c")}
			for i := range 60 {
				w.send(job(task.Span(10*i, 1+random.IntN(4)), writes("out")))
			}
			for range 2000 {
				i := random.IntN(len(workers))
				if random.IntN(200) == 0 {
					workers[i] = hire(fmt.Sprint("w", random.Uint32())) // a crash
				}
				_, err := workers[i].Step(w.ctx, *now)
				require.NoError(t, err)
				*now = now.Add(time.Duration(random.IntN(50)) * time.Millisecond)
			}
			var b strings.Builder
			deliveries, err := w.inbox.Receive(w.ctx, 10_000, 0)
			require.NoError(t, err)
			for _, d := range deliveries {
				b.Write(d.Body)
				b.WriteByte('\n')
			}
			return b.String()
		}
		first := history(7)
		assert.Contains(t, first, `"lost"`)
		assert.Equal(t, first, history(7))
		assert.NotEqual(t, first, history(8))
	})
}
