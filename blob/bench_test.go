package blob_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/stretchr/testify/require"
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
