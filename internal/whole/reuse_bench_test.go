package whole_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker"
)

// BenchmarkReuse runs tasks that each write a small blob, in a folder: in a step
// without a cache; in one with a cache that has nothing; and in one where all of
// them ran before. Of a few hundred the orchestrator looks for them, of ten
// thousand, whose list of elements is in a blob, the workers.
func BenchmarkReuse(b *testing.B) {
	for _, n := range []int{400, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { reuse(b, n) })
	}
}

func reuse(b *testing.B, n int) {
	for _, c := range []struct {
		name, cache string
		fresh       bool // no two rounds have the same parameters
	}{{"without", "false", false}, {"missing", "true", true}, {"found", "true", false}} {
		b.Run(c.name, func(b *testing.B) {
			var ran atomic.Int64
			handlers := worker.NewRegistry()
			worker.Handle(handlers, "bench/write@1", func(_ context.Context, t *worker.Task) error {
				ran.Add(1)
				out, err := t.Create("out")
				if err != nil {
					return err
				}
				return out.Close()
			})
			source := deed.MustParse("deed: v1\nname: reuse\ninputs: [in]\nparams: {round: 0}\nsteps: {work: {run: bench/write@1, each: in, out: [out], cache: " + c.cache + "}}\noutputs: [out]\n")
			r, err := deed.Open(b.Context(), deed.Options{Dir: b.TempDir(), Handlers: handlers, Log: slog.New(slog.DiscardHandler)})
			require.NoError(b, err)
			defer r.Close()
			values := make([]any, n)
			for i := range values {
				values[i] = i
			}
			round := func(i int) {
				job := deed.Job{Source: source, Inputs: map[string]deed.Input{"in": deed.Values(values...)}, Params: map[string]string{}}
				if c.fresh {
					job.Params["round"] = fmt.Sprint(i)
				}
				id := fmt.Sprintf("reuse-%d", i)
				require.NoError(b, r.Submit(b.Context(), id, job))
				result, err := r.Wait(b.Context(), id, nil)
				require.NoError(b, err)
				require.Equal(b, n, result.State.Steps()[0].Confirmed)
			}
			round(0)
			before, rounds := ran.Load(), 0
			for b.Loop() {
				rounds++
				round(rounds)
			}
			b.ReportMetric(float64(n*rounds)/b.Elapsed().Seconds(), "tasks/s")
			b.ReportMetric(float64(ran.Load()-before)/float64(n*rounds), "runs/task")
		})
	}
}
