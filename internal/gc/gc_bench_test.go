package gc_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/gc"
	"github.com/deedrun/deed/task"
)

var (
	gcBlobs = flag.Int("gcblobs", 20_000, "blobs of the benchmark of garbage collection")
	gcDir   = flag.String("gcdir", "", "where it makes them; empty: a temporary folder")
)

// BenchmarkGarbage looks through a directory of blobs, half of them referred to
// by a process and half by nobody, and says how much memory that took at most.
func BenchmarkGarbage(b *testing.B) {
	dir := *gcDir
	if dir == "" {
		dir = b.TempDir()
	}
	r, err := deed.Open(b.Context(), deed.Options{})
	require.NoError(b, err)
	defer r.Close()
	r.Blobs, err = blob.Open(b.Context(), "file://"+dir)
	require.NoError(b, err)
	old := time.Now().Add(-48 * time.Hour)
	var parts []task.Part
	for i := range *gcBlobs {
		process := "a"
		if i%2 == 1 {
			process = "gone"
		}
		key := fmt.Sprintf("%s/count/0/%d/1-n/0", process, i)
		path := filepath.Join(dir, key)
		require.NoError(b, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(b, os.WriteFile(path, nil, 0o600))
		require.NoError(b, os.Chtimes(path, old, old))
		if process == "a" {
			parts = append(parts, task.Part{Ref: &task.Ref{Key: key, SHA256: strings.Repeat("0", 64)}})
		}
	}
	start, err := r.Prepare(b.Context(), "a", deed.Job{Source: writing, Inputs: map[string]deed.Input{"text": deed.Values()}}, nil)
	require.NoError(b, err)
	start.Inputs["text"], err = r.Blobs.Dataset(b.Context(), "inputs", parts)
	require.NoError(b, err)
	_, err = r.Client.Start(b.Context(), start)
	require.NoError(b, err)

	peak, stop := watchHeap()
	defer stop()
	for b.Loop() {
		report, err := gc.Collect(b.Context(), r.Archive, gc.Options{})
		require.NoError(b, err)
		require.Equal(b, *gcBlobs/2, report.Total().Blobs)
	}
	b.ReportMetric(float64(peak.Load())/(1<<20), "peak-MiB")
}

// watchHeap looks at the heap all the time; peak is the most that it saw of
// what came on top.
func watchHeap() (peak *atomic.Int64, stop func()) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	runtime.GC()
	before, done := heap(), make(chan struct{})
	peak = &atomic.Int64{}
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				peak.Store(max(peak.Load(), heap()-before))
			}
		}
	}()
	return peak, func() { close(done) }
}
