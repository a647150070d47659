package whole_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker"
)

// BenchmarkFanOut runs no-op tasks end to end on the embedded server: file
// storage, events synced before they are acknowledged. The list of what they are
// about is imported in each round, too. `deed bench fanout` measures the same beside
// the raw loop.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { fanOut(b, n, deed.Options{}) })
	}
}

// BenchmarkFanOutAlone is the same with one task a message.
func BenchmarkFanOutAlone(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { fanOut(b, n, deed.Options{Alone: true}) })
	}
}

// BenchmarkFanOutTraced is the same in a trace, whose spans go nowhere.
func BenchmarkFanOutTraced(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			spans := tracetest.NewNoopExporter()
			provider := sdk.NewTracerProvider(sdk.WithBatcher(spans))
			defer func() { _ = provider.Shutdown(context.Background()) }()
			fanOut(b, n, deed.Options{Tracer: provider})
		})
	}
}

func fanOut(b *testing.B, n int, o deed.Options) {
	values := make([]any, n)
	for i := range values {
		values[i] = i
	}
	var invoked atomic.Int64
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "bench/noop", func(context.Context, *worker.Task) error {
		invoked.Add(1)
		return nil
	})
	source := deed.MustParse("deed: v1\nname: fan-out\ninputs: [in]\nsteps: {work: {run: bench/noop, each: in}}\n")
	o.Dir, o.Handlers, o.Log = b.TempDir(), handlers, slog.New(slog.DiscardHandler)
	r, err := deed.Open(b.Context(), o)
	require.NoError(b, err)
	defer r.Close()
	rounds := 0
	for b.Loop() {
		rounds++
		id := fmt.Sprintf("fan-out-%d", rounds)
		require.NoError(b, r.Submit(b.Context(), id, deed.Job{Source: source, Inputs: map[string]deed.Input{"in": deed.Values(values...)}}))
		result, err := r.Wait(b.Context(), id, nil)
		require.NoError(b, err)
		require.Equal(b, n, result.State.Steps()[0].Confirmed)
	}
	require.GreaterOrEqual(b, invoked.Load(), int64(n*rounds), "every task invokes its handler")
	b.ReportMetric(float64(n*rounds)/b.Elapsed().Seconds(), "tasks/s")
	b.ReportMetric(float64(invoked.Load())/float64(n*rounds), "runs/task")
}
