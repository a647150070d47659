//go:build unix

package whole_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/metrics/metricstest"
	"github.com/deedrun/deed/worker"
)

// BenchmarkMeasuredFanOut runs no-op tasks end to end as BenchmarkFanOut does:
// without metrics, with them, and with a scrape every 100 ms. The three take
// turns, so that whatever else the machine does falls on all of them; what counts
// is the ratio, of the time they took and of the processor time that they used,
// which tells more where others use the machine. More rounds: -benchtime 5x.
func BenchmarkMeasuredFanOut(b *testing.B) {
	const tasks = 100_000
	ways := []string{"plain", "measured", "scraped"}
	took, used := map[string][]float64{}, map[string][]float64{}
	for b.Loop() {
		for _, way := range ways {
			seconds, cpu := fanOutMeasured(b, tasks, way)
			took[way], used[way] = append(took[way], seconds), append(used[way], cpu)
		}
	}
	median := func(all []float64) float64 { return slices.Sorted(slices.Values(all))[len(all)/2] }
	for _, way := range ways {
		b.ReportMetric(tasks/median(took[way]), way+"-tasks/s")
		b.ReportMetric(1e6*median(used[way])/tasks, way+"-cpu-µs/task")
	}
	for _, way := range ways[1:] {
		b.ReportMetric(median(took[way])/median(took["plain"]), way+"/plain")
		b.ReportMetric(median(used[way])/median(used["plain"]), way+"/plain-cpu")
	}
}

// processorTime is what this process has used of processors so far.
func processorTime(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// fanOutMeasured returns how many seconds the tasks took, and of processors.
func fanOutMeasured(b *testing.B, tasks int, way string) (seconds, cpu float64) {
	b.Helper()
	values := make([]any, tasks)
	for i := range values {
		values[i] = i
	}
	handlers := worker.NewRegistry()
	worker.Handle(handlers, "bench/noop", func(context.Context, *worker.Task) error { return nil })
	source := deed.MustParse("deed: v1\nname: fan-out\ninputs: [in]\nsteps: {work: {run: bench/noop, each: in}}\n")
	o := deed.Options{Dir: b.TempDir(), Handlers: handlers, Log: slog.New(slog.DiscardHandler)}
	if way != "plain" {
		o.Metrics = deed.NewMetrics("bench")
	}
	r, err := deed.Open(b.Context(), o)
	require.NoError(b, err)
	defer r.Close()
	ctx, stop := context.WithCancel(b.Context())
	scrapes := make(chan int, 1)
	go func() { scrapes <- scraping(ctx, o.Metrics, way == "scraped") }()
	runtime.GC() // what the one before has left
	began, before := time.Now(), processorTime(b)
	require.NoError(b, r.Submit(b.Context(), way, deed.Job{Source: source, Inputs: map[string]deed.Input{"in": deed.Values(values...)}}))
	result, err := r.Wait(b.Context(), way, nil)
	seconds, cpu = time.Since(began).Seconds(), processorTime(b)-before
	stop()
	r.Close() // the commit that is seen may not be counted yet
	require.NoError(b, err)
	require.Equal(b, tasks, result.State.Steps()[0].Confirmed)
	if n := <-scrapes; way == "scraped" {
		require.Positive(b, n)
		require.Equal(b, tasks, metricstest.Read(o.Metrics)[`deed_tasks_total{event="confirmed"}`], "every task is counted, once")
	}
	return seconds, cpu
}

// scraping scrapes until ctx ends, and returns how often.
func scraping(ctx context.Context, m *deed.Metrics, really bool) (n int) {
	if !really {
		return 0
	}
	every := time.NewTicker(100 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return n
		case <-every.C:
			m.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", http.NoBody))
			n++
		}
	}
}
