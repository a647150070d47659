package worker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

const gb = 1_000_000_000

func needs(r task.Resources) func(*task.Work) { return func(w *task.Work) { w.Needs = r } }

func named(handler string) func(*task.Work) { return func(w *task.Work) { w.Run.Handler = handler } }

// soon receives within a minute of the test's clock.
func soon[T any](t *testing.T, c <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-c:
	case <-time.After(time.Minute):
		t.Fatal("it did not happen within a minute")
	}
	return got
}

// load is how much of something is being executed on each worker.
type load struct {
	mu   sync.Mutex
	now  map[string]int
	most map[string]int
	done int
}

func (l *load) change(worker string, by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now[worker] += by
	l.most[worker] = max(l.most[worker], l.now[worker])
	if by < 0 {
		l.done++
	}
}

func TestEightTasksOf20GBNeverRunTwoAtATimeOnAMachineOf32(t *testing.T) {
	isolated(t, "they all complete, each in its first attempt", func(t *testing.T, w *world) {
		l := &load{now: map[string]int{}, most: map[string]int{}}
		machines := []string{"a", "b", "c"}
		for _, name := range machines {
			reg := worker.NewRegistry()
			worker.Handle(reg, "h", func(context.Context, *worker.Task) error {
				l.change(name, 20)
				defer l.change(name, -20)
				time.Sleep(3 * time.Second) // the clock of the test
				return nil
			})
			w.run(func(o *worker.Options) {
				o.Name, o.Registry, o.Slots, o.Offer = name, reg, 4, task.Resources{CPU: 8, Memory: 32 * gb}
			})
		}
		big := func(tasks task.Ranges) task.Work {
			return job(tasks, needs(task.Resources{CPU: 1, Memory: 20 * gb}))
		}
		for i := range 8 {
			w.send(big(task.Of(i)))
		}
		outcomes := map[task.Outcome]int{}
		for outcomes[task.Done] < 8 {
			for _, r := range w.results(1) {
				require.Equal(t, 1, r.Attempt)
				outcomes[r.Outcome] += r.Tasks.Len()
				if r.Outcome == task.Done {
					continue
				}
				require.Equal(t, task.Returned, r.Outcome)
				require.Equal(t, "does not fit beside what runs here: needs cpu 1, memory 18.63 GiB; free cpu 7, memory 11.18 GiB", r.Failure.Error)
				time.AfterFunc(300*time.Millisecond, func() { w.send(big(r.Tasks)) }) // as the feeder does
			}
		}
		require.Equal(t, map[string]int{"a": 20, "b": 20, "c": 20}, l.most)
		require.Equal(t, 8, l.done)
		require.Positive(t, outcomes[task.Returned], "more were sent than there is room for")
		require.Zero(t, w.pending())
	})
}

func TestATaskThatDoesNotFitHoldsUpNoneThatDoes(t *testing.T) {
	isolated(t, "small ones behind it run; one message waits for room, and a second goes back", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("big", g.handle)
		w.handle("h", nothing)
		heard := w.hear()
		w.run(func(o *worker.Options) { o.Slots, o.Offer = 4, task.Resources{CPU: 4, Memory: 32 * gb} })
		big := func(i int) task.Work {
			return job(task.Of(i), named("big"), needs(task.Resources{Memory: 20 * gb}))
		}
		w.send(big(0))
		soon(t, g.begun)
		w.send(big(1), job(task.Of(10)), job(task.Of(11), needs(task.Resources{CPU: 4, Memory: 12 * gb})))
		for _, r := range w.results(2) {
			require.Equal(t, task.Done, r.Outcome)
		}
		w.send(big(2))
		back := w.results(1)[0]
		require.Equal(t, []any{task.Of(2), task.Returned}, []any{back.Tasks, back.Outcome})
		require.Contains(t, back.Failure.Error, "does not fit beside what runs here")
		require.NoError(t, w.signals.Publish(w.ctx, "rollcall", nil))
		beats := heard()
		require.Equal(t, task.Resources{Memory: 20 * gb}, beats[len(beats)-1].Used)
		require.Equal(t, task.Resources{CPU: 4, Memory: 32 * gb}, beats[len(beats)-1].Offer)
		require.Equal(t, task.Of(0, 1), beats[len(beats)-1].Holding[0].Tasks)
		g.opened <- struct{}{}
		require.Equal(t, 1, soon(t, g.begun), "there is room for the one that waited")
		g.opened <- struct{}{}
		w.results(2)
	})

	isolated(t, "what waits for room too long is handed back", func(t *testing.T, w *world) {
		g := newGate()
		w.handle("h", g.handle)
		w.run(func(o *worker.Options) { o.Offer = task.Resources{CPU: 1} })
		one := needs(task.Resources{CPU: 1})
		w.send(job(task.Of(0), one))
		soon(t, g.begun)
		w.send(job(task.Of(1), one))
		begun := time.Now()
		back := w.results(1)[0]
		require.Equal(t, task.Returned, back.Outcome)
		require.Contains(t, back.Failure.Error, "needs cpu 1; free nothing")
		require.InDelta(t, 10, time.Since(begun).Seconds(), 1.5)
		close(g.opened)
		w.results(1)
	})
}

func TestSmallTasksThatPassALargeOneDoNotKeepItOutForEver(t *testing.T) {
	isolated(t, "it runs once those that ran before it have ended, and those that passed it", func(t *testing.T, w *world) {
		large := make(chan time.Time, 1)
		w.handle("large", func(context.Context, *worker.Task) error { large <- time.Now(); return nil })
		w.handle("h", func(context.Context, *worker.Task) error { time.Sleep(time.Second); return nil })
		w.run(func(o *worker.Options) { o.Slots, o.Offer = 4, task.Resources{CPU: 4} })
		small := needs(task.Resources{CPU: 1})
		go func() { // a load that never ends: what comes back is sent again
			for i := range 200 {
				w.send(job(task.Of(i), small))
				time.Sleep(150 * time.Millisecond)
			}
		}()
		time.Sleep(2 * time.Second)
		begun := time.Now()
		w.send(job(task.Of(1000), named("large"), needs(task.Resources{CPU: 4})))
		require.Less(t, soon(t, large).Sub(begun), 4*time.Second)
		time.Sleep(time.Minute)
	})

	isolated(t, "once it is they that keep it out, only what needs nothing of the same passes", func(t *testing.T, w *world) {
		before, passing, large := newGate(), newGate(), newGate()
		w.handle("before", before.handle)
		w.handle("passing", passing.handle)
		w.handle("large", large.handle)
		w.handle("h", nothing)
		w.run(func(o *worker.Options) { o.Slots, o.Offer = 4, task.Resources{CPU: 4, GPU: 2} })
		cores := func(i int, handler string, n float64) task.Work {
			return job(task.Of(i), named(handler), needs(task.Resources{CPU: n}))
		}
		w.send(cores(0, "before", 3))
		soon(t, before.begun)
		w.send(cores(1, "large", 4))
		synctest.Wait()
		w.send(cores(2, "passing", 1))
		soon(t, passing.begun)
		close(before.opened)
		w.results(1)
		w.send(cores(3, "h", 1))
		require.Equal(t, task.Returned, w.results(1)[0].Outcome)
		w.send(job(task.Of(4), needs(task.Resources{GPU: 2})), job(task.Of(5)))
		for _, r := range w.results(2) {
			require.Equal(t, task.Done, r.Outcome)
		}
		require.Empty(t, large.begun)
		close(passing.opened)
		soon(t, large.begun)
		close(large.opened)
		w.results(2)
	})
}

func TestATaskForAnotherWorkerGoesBackWithTheReasonAndIsNotRun(t *testing.T) {
	of := func(pool string) func(*task.Work) { return func(w *task.Work) { w.Pool = pool } }
	runs := func(words ...string) func(*task.Work) {
		return func(w *task.Work) { w.Run = task.Run{Command: words} }
	}
	for name, c := range map[string]struct {
		options func(*worker.Options)
		work    func(*task.Work)
		reason  string
	}{
		"of another pool": {
			func(o *worker.Options) { o.Pool = "gpu" }, of("big"),
			`it is for the pool "big"; this worker serves the pool "gpu"`,
		},
		"of a pool, at one without": {
			func(*worker.Options) {}, of("big"),
			`it is for the pool "big"; this worker serves tasks without a pool`,
		},
		"without a pool, at one that has one": {
			func(o *worker.Options) { o.Pool = "gpu" }, of("default"),
			`it is for tasks without a pool; this worker serves the pool "gpu"`,
		},
		"with a handler that it was told not to offer": {
			func(o *worker.Options) { o.Only = []string{"other"} }, func(*task.Work) {},
			`handler "h" is unknown: this worker offers "other"`,
		},
		"with a program that it does not allow": {
			func(o *worker.Options) { o.Allow = []string{"true"} }, runs("touch", "x"),
			`this worker does not run the program ["touch" "x"]: it allows "true"`,
		},
		"that never fits": {
			func(o *worker.Options) { o.Offer = task.Resources{CPU: 2, Memory: 32 << 30} }, needs(task.Resources{CPU: 1, Memory: 64 << 30}),
			`it needs cpu 1, memory 64 GiB; this worker offers cpu 2, memory 32 GiB in all`,
		},
	} {
		isolated(t, name, func(t *testing.T, w *world) {
			w.handle("h", func(context.Context, *worker.Task) error { panic("it ran") })
			w.handle("other", nothing)
			w.run(c.options)
			r := w.result(job(task.Span(3, 2), c.work))
			require.Equal(t, task.Result{
				Address: "step", Attempt: 1, Tasks: task.Span(3, 2), Outcome: task.Unserved,
				Failure: &task.Failure{Error: c.reason, Verdict: task.Retry},
			}, r)
			require.Zero(t, w.pending())
		})
	}
}

func TestAWorkerOfAnyPoolTakesTheTasksOfAll(t *testing.T) {
	isolated(t, "and one with a pool does what is built in, whose messages name none", func(t *testing.T, w *world) {
		w.handle("h", nothing)
		heard := w.hear()
		r := w.run(func(o *worker.Options) { o.AnyPool = true })
		require.Equal(t, task.Done, w.result(job(task.Of(0), func(w *task.Work) { w.Pool = "gpu" })).Outcome)
		require.Equal(t, task.Done, w.result(job(task.Of(1))).Outcome)
		require.True(t, heard()[0].AnyPool)
		r.Drain()
		<-r.ended
		w.run(func(o *worker.Options) { o.Pool = "gpu" })
		failed := w.result(job(task.Of(2), named("deed/seal")))
		require.Contains(t, failed.Failure.Error, "does not say what to seal", "it is executed")
		beats := heard()
		require.Equal(t, "gpu", beats[len(beats)-1].Pool)
	})
}

func TestOptionsThatContradictAreRefused(t *testing.T) {
	w := newWorld(t)
	w.handle("words/count@1", nothing)
	w.handle("words/count@2", nothing)
	w.handle("other", nothing)
	for _, c := range []struct {
		change    func(*worker.Options)
		complaint string
	}{
		{func(o *worker.Options) { o.Pool, o.AnyPool = "x", true }, "say one of them"},
		{func(o *worker.Options) { o.Pool = "No Pool" }, "the pool"},
		{func(o *worker.Options) { o.Offer.GPU = -1 }, "negative number"},
		{func(o *worker.Options) { o.Allow = []string{"a 'b"} }, `allow "a 'b": the quote ' is not closed`},
		{func(o *worker.Options) { o.Only = []string{"words/*", "wurds/count"} }, `did you mean "words/count"?`},
		{func(o *worker.Options) { o.Only = []string{"[a"} }, "close the bracket"},
	} {
		o := w.options()
		c.change(&o)
		_, err := worker.New(o)
		require.ErrorContains(t, err, c.complaint)
	}
}

func TestAWorkerOffersOnlyTheHandlersOfThePatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		"words/*":       "[words/count words/count@1 words/count@2]",
		"words/count":   "[words/count words/count@1 words/count@2]",
		"words/count@1": "[words/count words/count@1]",
		"*":             "[other]",
		"*/*@2":         "[words/count words/count@2]",
	} {
		isolated(t, pattern, func(t *testing.T, w *world) {
			for _, name := range []string{"words/count@1", "words/count@2", "other"} {
				w.handle(name, nothing)
			}
			heard := w.hear()
			w.run(func(o *worker.Options) { o.Only = []string{pattern} })
			require.Equal(t, want, fmt.Sprint(heard()[0].Handlers))
		})
	}
}
