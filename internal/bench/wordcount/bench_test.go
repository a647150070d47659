package wordcount

import (
	"log/slog"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
)

// BenchmarkWordCount is for profiles; `deed bench wordcount` compares the two.
func BenchmarkWordCount(b *testing.B) {
	const bytes = 160e6
	texts := b.TempDir()
	require.NoError(b, Generate(texts, 64, bytes))
	b.Run("plain", func(b *testing.B) {
		b.SetBytes(bytes)
		for b.Loop() {
			_, err := Plain(b.Context(), texts, b.TempDir(), runtime.GOMAXPROCS(0))
			require.NoError(b, err)
		}
	})
	b.Run("deed", func(b *testing.B) {
		r, err := deed.Open(b.Context(), deed.Options{Dir: b.TempDir(), Handlers: Handlers(), Log: slog.New(slog.DiscardHandler)})
		require.NoError(b, err)
		defer r.Close()
		b.SetBytes(bytes)
		for b.Loop() {
			id := deed.NewID("words")
			require.NoError(b, r.Submit(b.Context(), id, Job(texts)))
			_, err = r.Wait(b.Context(), id, nil)
			require.NoError(b, err)
		}
	})
}
