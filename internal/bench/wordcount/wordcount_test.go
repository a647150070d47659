package wordcount

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
)

func TestTheProcessAndThePlainProgramWriteTheSameBytes(t *testing.T) {
	texts := t.TempDir()
	require.NoError(t, Generate(texts, 5, 100_000))
	plain, err := Plain(t.Context(), texts, t.TempDir(), 2)
	require.NoError(t, err)
	require.Equal(t, plain, ofDeed(t, texts))
	require.Equal(t, 5*buckets, plain.Lists.Parts)
}

func ofDeed(t *testing.T, texts string) Result {
	r, err := deed.Open(t.Context(), deed.Options{Handlers: Handlers(), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, r.Submit(t.Context(), "words", Job(texts)))
	ended, err := r.Wait(t.Context(), "words", nil)
	require.NoError(t, err)
	result, err := ResultOf(t.Context(), ended)
	require.NoError(t, err)
	return result
}

func TestTheCountsAreThoseOfTheTexts(t *testing.T) {
	texts, out := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"a": "Two by two", "b": "by the sea", "c": "42"} {
		require.NoError(t, os.WriteFile(filepath.Join(texts, name), []byte(text), 0o600))
	}
	result, err := Plain(t.Context(), texts, out, 1)
	require.NoError(t, err)
	require.Equal(t, ofDeed(t, texts), result)
	counts, err := os.ReadFile(filepath.Join(out, "counts"))
	require.NoError(t, err)
	require.Equal(t, "by\t2\nsea\t1\nthe\t1\ntwo\t2\n", string(counts))
}

func TestTheSameTextsAreGeneratedEachTime(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	require.NoError(t, Generate(one, 3, 30_000))
	require.NoError(t, Generate(two, 3, 30_000))
	seen := map[string]bool{}
	for n := range 3 {
		a, err := os.ReadFile(filepath.Join(one, textName(n)))
		require.NoError(t, err)
		b, err := os.ReadFile(filepath.Join(two, textName(n)))
		require.NoError(t, err)
		require.Equal(t, a, b)
		require.GreaterOrEqual(t, len(a), 10_000)
		seen[string(a)] = true
	}
	require.Len(t, seen, 3, "texts differ from one another")
}

func TestFilesAreDealtOutToTextsOfAboutTheSameSize(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(from, "below"), 0o700))
	for name, text := range map[string]string{"large": "a a a a a a", "below/one": "b b b", "two": "c c"} {
		require.NoError(t, os.WriteFile(filepath.Join(from, name), []byte(text), 0o600))
	}
	require.NoError(t, Deal(from, to, 2))
	first, err := os.ReadFile(filepath.Join(to, textName(0)))
	require.NoError(t, err)
	second, err := os.ReadFile(filepath.Join(to, textName(1)))
	require.NoError(t, err)
	require.Equal(t, []string{"a a a a a a\n", "b b b\nc c\n"}, []string{string(first), string(second)})
	require.ErrorContains(t, Deal(from, to, 4), "too few for 4 texts")
	require.ErrorContains(t, Deal(filepath.Join(from, "missing"), to, 4), "name a folder")
}

func TestACancelledCountEnds(t *testing.T) {
	texts := t.TempDir()
	require.NoError(t, Generate(texts, 2, 1000))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Plain(ctx, texts, t.TempDir(), 1)
	require.ErrorIs(t, err, context.Canceled)
}
