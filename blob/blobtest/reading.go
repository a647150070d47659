package blobtest

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func reading(t *testing.T, b Backend) {
	ref := b.put(t, "r/hello", "hello")
	t.Run("a blob is streamed back, in small reads too", func(t *testing.T) {
		r, err := b.Store.Open(t.Context(), ref)
		require.NoError(t, err)
		defer r.Close()
		data, err := io.ReadAll(iotest.OneByteReader(r))
		require.NoError(t, err)
		assert.Equal(t, "hello", string(data))
	})
	t.Run("a part is its blob or its value", func(t *testing.T) {
		assert.Equal(t, "hello", readPart(t, b, task.Part{Ref: &ref}))
		assert.Equal(t, `{"a": 1}`, readPart(t, b, task.Part{Value: []byte(`{"a": 1}`)}))
	})
	t.Run("a part with neither blob nor value, or with both, is an error", func(t *testing.T) {
		_, err := b.Store.OpenPart(t.Context(), task.Part{Name: "odd"})
		require.ErrorContains(t, err, `part "odd": it has neither`)
		_, err = b.Store.OpenPart(t.Context(), task.Part{Name: "odd", Ref: &ref, Value: []byte("1")})
		require.ErrorContains(t, err, `part "odd": it has both`)
	})
	t.Run("more than the limit is refused before anything is read", func(t *testing.T) {
		_, err := b.Store.ReadAll(t.Context(), ref, 4)
		require.ErrorContains(t, err, "exceed the limit of 4")
		data, err := b.Store.ReadAll(t.Context(), ref, 5)
		require.NoError(t, err)
		assert.Equal(t, "hello", string(data))
	})
	t.Run("an empty blob is read and verified", func(t *testing.T) {
		data, err := b.Store.ReadAll(t.Context(), b.put(t, "r/empty", ""), 0)
		require.NoError(t, err)
		assert.Empty(t, data)
	})
	t.Run("a reference that is none is refused", func(t *testing.T) {
		for _, bad := range []task.Ref{
			{Key: "r/hello", Size: -1, SHA256: ref.SHA256},
			{Key: "r/hello", Size: 5, SHA256: "abc"},
			{Key: "r/hello", Size: 5, SHA256: strings.ToUpper(ref.SHA256)},
		} {
			_, err := b.Store.Open(t.Context(), bad)
			require.ErrorContains(t, err, "reference to blob")
		}
	})
	t.Run("reading ends with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := b.Store.Open(ctx, ref)
		require.NoError(t, err)
		defer r.Close()
		cancel()
		_, err = r.Read(make([]byte, 1))
		require.ErrorIs(t, err, context.Canceled)
	})
}

func readPart(t *testing.T, b Backend, p task.Part) string {
	t.Helper()
	r, err := b.Store.OpenPart(t.Context(), p)
	require.NoError(t, err)
	defer r.Close()
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(data)
}

func damage(t *testing.T, b Backend) {
	const text = "the quick brown fox"
	for _, c := range []struct{ name, key, now string }{
		{"an altered byte", "d/altered", "the quick brown fix"},
		{"a truncated blob", "d/short", "the quick"},
		{"an emptied blob", "d/emptied", ""},
		{"a longer blob", "d/long", text + "es"},
	} {
		t.Run(c.name+" is reported instead of the end of the file", func(t *testing.T) {
			ref := b.put(t, c.key, text)
			b.overwrite(t, c.key, []byte(c.now))
			r, err := b.Store.Open(t.Context(), ref)
			require.NoError(t, err)
			defer r.Close()
			data, err := io.ReadAll(r)
			requireCorrupt(t, err, c.key)
			assert.LessOrEqual(t, len(data), len(text))
			_, again := r.Read(make([]byte, 1))
			assert.Equal(t, err, again, "the error stays")
		})
		t.Run(c.name+" is never returned whole", func(t *testing.T) {
			data, err := b.Store.ReadAll(t.Context(), refOf(c.key, text), 100)
			requireCorrupt(t, err, c.key)
			assert.Nil(t, data)
		})
	}
	t.Run("a vanished blob is not found", func(t *testing.T) {
		ref := b.put(t, "d/gone", text)
		require.NoError(t, b.Raw.Delete(t.Context(), ref.Key))
		_, err := b.Store.Open(t.Context(), ref)
		require.ErrorIs(t, err, blob.ErrNotFound)
		require.ErrorContains(t, err, "d/gone")
		_, err = b.Store.ReadAll(t.Context(), ref, 100)
		require.ErrorIs(t, err, blob.ErrNotFound)
		for _, err := range b.Store.ReadReport(t.Context(), ref) {
			require.ErrorIs(t, err, blob.ErrNotFound)
		}
		_, err = b.Store.OpenManifest(t.Context(), task.Manifest{Ref: ref, IndexSize: ref.Size, IndexSHA256: ref.SHA256})
		require.ErrorIs(t, err, blob.ErrNotFound)
		var corrupt *blob.CorruptError
		assert.NotErrorAs(t, err, &corrupt)
	})
}
