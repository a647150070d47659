package whole_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker"
)

const (
	fairSlots = 16
	fairTask  = 50 * time.Millisecond
	fairWide  = "deed: v1\nname: wide\ninputs: [in]\nsteps: {work: {run: bench/wait, each: in}}\n"
)

// BenchmarkFairness takes the time of small processes on 16 slots of four
// workers over the embedded server: alone, and beside a process of a million
// tasks that has saturated the slots. All tasks last 50 ms. The target is a
// ratio below 2.
func BenchmarkFairness(b *testing.B) {
	chain, from := "deed: v1\nname: chain\ninputs: [in]\nsteps:\n", "in"
	for i := range 5 {
		to := fmt.Sprintf("out%d", i)
		chain += fmt.Sprintf("  step%d: {run: bench/pass, each: %s, out: {next: %s}}\n", i, from, to)
		from = to
	}
	chain += "outputs: [" + from + "]\n"
	for _, small := range []struct {
		name, source string
		tasks        int
	}{{"64 tasks", fairWide, 64}, {"5 steps of 8 tasks", chain, 8}} {
		b.Run(small.name, func(b *testing.B) {
			for b.Loop() {
				f := newFair(b)
				alone := f.take(b, small.source, small.tasks)
				f.saturate(b)
				beside := f.take(b, small.source, small.tasks)
				f.serving.Close()
				typical := float64(alone[len(alone)/2])
				b.ReportMetric(typical/1e6, "alone-ms")
				b.ReportMetric(float64(beside[len(beside)/2])/1e6, "beside-ms")
				b.ReportMetric(float64(beside[len(beside)/2])/typical, "ratio")
				b.ReportMetric(float64(beside[len(beside)-1])/typical, "worst-ratio")
			}
		})
	}
}

// fair is who serves and the workers that joined.
type fair struct {
	serving *deed.Runtime
	busy    atomic.Int64 // slots
	begun   int          // processes
}

func newFair(b *testing.B) *fair {
	f := &fair{}
	handlers := worker.NewRegistry()
	wait := func(ctx context.Context) error {
		f.busy.Add(1)
		defer f.busy.Add(-1)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(fairTask):
			return nil
		}
	}
	worker.Handle(handlers, "bench/wait", func(ctx context.Context, _ *worker.Task) error { return wait(ctx) })
	worker.Handle(handlers, "bench/pass", func(ctx context.Context, t *worker.Task) error {
		if err := wait(ctx); err != nil {
			return err
		}
		return t.Emit("next", t.Index())
	})
	dir, silent := b.TempDir(), slog.New(slog.DiscardHandler)
	var err error
	f.serving, err = deed.Open(b.Context(), deed.Options{Dir: dir, Log: silent})
	require.NoError(b, err)
	b.Cleanup(f.serving.Close)
	for range 4 {
		w, err := deed.Open(b.Context(), deed.Options{Dir: dir, Join: true, Handlers: handlers, Workers: fairSlots / 4, Log: silent})
		require.NoError(b, err)
		b.Cleanup(w.Close)
	}
	return f
}

func (f *fair) submit(b *testing.B, source string, tasks int) (id string) {
	values := make([]any, tasks)
	for i := range values {
		values[i] = i
	}
	f.begun++
	id = fmt.Sprintf("fair-%d", f.begun)
	job := deed.Job{Source: deed.MustParse(source), Inputs: map[string]deed.Input{"in": deed.Values(values...)}}
	require.NoError(b, f.serving.Submit(b.Context(), id, job))
	return id
}

// saturate gives the workers a million tasks, and waits until all slots have
// been busy for a while.
func (f *fair) saturate(b *testing.B) {
	f.submit(b, fairWide, 1_000_000)
	deadline := time.Now().Add(20 * time.Second)
	for inARow := 0; inARow < 10; inARow++ {
		require.True(b, time.Now().Before(deadline), "the slots are not saturated")
		time.Sleep(fairTask)
		if f.busy.Load() < fairSlots-1 {
			inARow = -1
		}
	}
}

// take is how long each of several small processes takes, one after the other,
// in ascending order.
func (f *fair) take(b *testing.B, source string, tasks int) (all []time.Duration) {
	for range 7 {
		began := time.Now()
		_, err := f.serving.Wait(b.Context(), f.submit(b, source, tasks), nil)
		require.NoError(b, err)
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all
}
