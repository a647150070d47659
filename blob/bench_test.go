package blob_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

func stores(b *testing.B, bench func(b *testing.B, store *blob.Store)) {
	b.Run("file", func(b *testing.B) { bench(b, open(b, "file://"+b.TempDir())) })
	b.Run("mem", func(b *testing.B) { bench(b, open(b, "mem://")) })
}

func BenchmarkWriteSmall(b *testing.B) {
	data := strings.Repeat("x", 1024)
	stores(b, func(b *testing.B, store *blob.Store) {
		for i := 0; b.Loop(); i++ {
			put(b, store, fmt.Sprintf("process/step/0/%d/1-nonce", i), data)
		}
	})
}

func BenchmarkReadSmall(b *testing.B) {
	stores(b, func(b *testing.B, store *blob.Store) {
		ref := put(b, store, "k", strings.Repeat("x", 1024))
		for b.Loop() {
			_, err := store.ReadAll(b.Context(), ref, 1024)
			require.NoError(b, err)
		}
	})
}

func BenchmarkManifestAdd(b *testing.B) {
	stores(b, func(b *testing.B, store *blob.Store) {
		w, err := store.NewManifest(b.Context(), "m")
		require.NoError(b, err)
		defer w.Abort()
		for i := 0; b.Loop(); i++ {
			require.NoError(b, w.Add(blob.Entry{Index: i, Part: value("a", i)}))
		}
	})
}

func BenchmarkManifestPart(b *testing.B) {
	const parts = 100_000
	for name, step := range map[string]int{"sequential": 1, "scattered": 7919} {
		b.Run(name, func(b *testing.B) {
			stores(b, func(b *testing.B, store *blob.Store) {
				_, r := manifest(b, store, parts, "a")
				for i := 0; b.Loop(); i = (i + step) % parts {
					_, err := r.Part(b.Context(), i)
					require.NoError(b, err)
				}
			})
		})
	}
}

// BenchmarkSeal merges what 100,000 tasks wrote, a small value each, from reports
// of 2,000, which is what a wide step ends with.
func BenchmarkSeal(b *testing.B) {
	const tasks, each = 100_000, 2_000
	s := open(b, "file://"+b.TempDir())
	seal := task.Seal{Data: "v"}
	for first := 0; first < tasks; first += each {
		var produced []task.Produced
		for i := first; i < first+each; i++ {
			produced = append(produced, task.Produced{Index: i, Data: "v", Part: task.Part{Value: []byte(strconv.Itoa(i))}})
		}
		ref, err := s.WriteReport(b.Context(), fmt.Sprintf("p/work/0/reports/1-%d", first), produced)
		require.NoError(b, err)
		seal.Sources = append(seal.Sources, task.Source{Report: &ref, Tasks: task.Span(first, each)})
	}
	n := 0
	for b.Loop() {
		n++
		data, err := s.Seal(b.Context(), fmt.Sprintf("p/deed/seal/v/0/%d/1-x/sealed", n), seal)
		require.NoError(b, err)
		require.Equal(b, tasks, data.Count)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*tasks), "ns/part")
}
