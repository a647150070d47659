package blobtest

import (
	"iter"
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func reports(t *testing.T, b Backend) {
	ref := refOf("data/1", "x")
	produced := []task.Produced{
		{Index: 7, Data: "out", Part: task.Part{Key: "süß", Name: "line\nbreak", Ref: &ref}},
		{Index: 3, Data: "other", Part: task.Part{Value: []byte(`{"a":"\u003c"}`)}},
		{Index: 7, Data: "out", Part: task.Part{Value: []byte(`null`)}},
	}
	t.Run("a report reads back in the order it was written", func(t *testing.T) {
		stored, err := b.Store.WriteReport(t.Context(), "p/report", produced)
		require.NoError(t, err)
		for range 2 {
			assert.Equal(t, produced, collect(t, b.Store.ReadReport(t.Context(), stored)))
		}
	})
	t.Run("an empty report is a report", func(t *testing.T) {
		stored, err := b.Store.WriteReport(t.Context(), "p/none", nil)
		require.NoError(t, err)
		assert.Empty(t, collect(t, b.Store.ReadReport(t.Context(), stored)))
	})
	t.Run("any altered byte of a report is an error at its end at the latest", func(t *testing.T) {
		stored, err := b.Store.WriteReport(t.Context(), "p/altered", produced)
		require.NoError(t, err)
		for at := int64(0); at < stored.Size; at += 13 {
			undo := b.alter(t, stored.Key, at)
			requireCorrupt(t, lastError(b.Store.ReadReport(t.Context(), stored)), stored.Key)
			undo()
		}
	})
}

func manifests(t *testing.T, b Backend) {
	entries := listed(1000, "", "a", "a/b", "süß")
	data := write(t, b, "m/list", entries)
	t.Run("a manifest describes what it lists, wherever that lies", func(t *testing.T) {
		want := task.Inline(partsOf(entries))
		want.Parts, want.Manifest = nil, data.Manifest
		assert.Equal(t, want, data)
	})
	t.Run("every read of a manifest gives the parts that were added", func(t *testing.T) {
		r, err := b.Store.OpenManifest(t.Context(), *data.Manifest)
		require.NoError(t, err)
		assert.Equal(t, 1000, r.Count())
		assert.Equal(t, 4, r.Keys())
		assert.Equal(t, partsOf(entries), collect(t, r.All(t.Context())))
		for _, i := range []int{0, 255, 256, 500, 999, 1} {
			p, err := r.Part(t.Context(), i)
			require.NoError(t, err)
			assert.Equal(t, entries[i].Part, p)
		}
		assert.Equal(t, partsOf(entries[250:500]), collect(t, r.Group(t.Context(), 1)))
	})
	t.Run("a list without parts leaves no blob", func(t *testing.T) {
		assert.Equal(t, task.Inline(nil), write(t, b, "m/none", nil))
		assert.NotContains(t, b.stored(t), "m/none")
	})
	t.Run("a truncated manifest is corrupt", func(t *testing.T) {
		torn := write(t, b, "m/torn", entries)
		whole, err := b.Raw.ReadAll(t.Context(), "m/torn")
		require.NoError(t, err)
		for _, size := range []int64{0, 100, torn.Manifest.IndexOffset, torn.Manifest.Size - 1} {
			b.overwrite(t, "m/torn", whole[:size])
			_, err := b.Store.OpenManifest(t.Context(), *torn.Manifest)
			requireCorrupt(t, err, "m/torn")
		}
	})
	t.Run("an altered byte is found by whoever reads that place, and by nobody else", func(t *testing.T) {
		altered := write(t, b, "m/altered", entries)
		undo := b.alter(t, "m/altered", altered.Manifest.IndexOffset+40)
		_, err := b.Store.OpenManifest(t.Context(), *altered.Manifest)
		requireCorrupt(t, err, "m/altered")
		undo()
		b.alter(t, "m/altered", 1000)
		r, err := b.Store.OpenManifest(t.Context(), *altered.Manifest)
		require.NoError(t, err)
		_, err = r.Part(t.Context(), 0)
		requireCorrupt(t, err, "m/altered")
		requireCorrupt(t, lastError(r.All(t.Context())), "m/altered")
		p, err := r.Part(t.Context(), 999)
		require.NoError(t, err)
		assert.Equal(t, entries[999].Part, p)
	})
}

func datasets(t *testing.T, b Backend) {
	t.Run("a short list stays inline", func(t *testing.T) {
		parts := partsOf(listed(10, "a"))
		data, err := b.Store.Dataset(t.Context(), "inputs", parts)
		require.NoError(t, err)
		assert.Equal(t, task.Inline(parts), data)
		assert.Empty(t, b.stored(t))
	})
	t.Run("a long list becomes one manifest, however often", func(t *testing.T) {
		parts := partsOf(listed(2000, "a", "b"))
		data, err := b.Store.Dataset(t.Context(), "inputs", parts)
		require.NoError(t, err)
		again, err := b.Store.Dataset(t.Context(), "inputs", parts)
		require.NoError(t, err)
		assert.Equal(t, data, again)
		assert.Equal(t, []string{data.Manifest.Key}, b.stored(t))
		assert.Equal(t, task.Inline(parts).Digest, data.Digest)
		r, err := b.Store.OpenManifest(t.Context(), *data.Manifest)
		require.NoError(t, err)
		assert.Equal(t, parts, collect(t, r.All(t.Context())))
	})
}

func seals(t *testing.T, b Backend) {
	entries := listed(600, "a", "b")
	var produced []task.Produced
	for _, e := range entries {
		produced = append(produced, task.Produced{Index: e.Index, Data: "out", Part: e.Part})
	}
	report, err := b.Store.WriteReport(t.Context(), "s/report", produced[:400])
	require.NoError(t, err)
	merged := write(t, b, "s/merged", entries[500:])

	t.Run("reports, inline parts and earlier merges become one manifest", func(t *testing.T) {
		data, err := b.Store.Seal(t.Context(), "s/sealed", task.Seal{Data: "out", Sources: []task.Source{
			{Merged: merged.Manifest},
			{Parts: produced[400:500]},
			{Report: &report, Tasks: task.Span(0, 400)},
		}})
		require.NoError(t, err)
		assert.Equal(t, task.Inline(partsOf(entries)).Digest, data.Digest)
		r, err := b.Store.OpenManifest(t.Context(), *data.Manifest)
		require.NoError(t, err)
		assert.Equal(t, partsOf(entries), collect(t, r.All(t.Context())))
	})
	t.Run("a damaged source ends the seal and leaves no manifest", func(t *testing.T) {
		b.alter(t, "s/report", 5)
		_, err := b.Store.Seal(t.Context(), "s/damaged", task.Seal{Data: "out", Sources: []task.Source{{Report: &report, Tasks: task.Span(0, 400)}}})
		requireCorrupt(t, err, "s/report")
		b.alter(t, "s/merged", 5)
		_, err = b.Store.Seal(t.Context(), "s/damaged", task.Seal{Data: "out", Sources: []task.Source{{Merged: merged.Manifest}}})
		requireCorrupt(t, err, "s/merged")
		assert.NotContains(t, b.stored(t), "s/damaged")
	})
}

func write(t *testing.T, b Backend, key string, entries []blob.Entry) task.Dataset {
	t.Helper()
	w, err := b.Store.NewManifest(t.Context(), key)
	require.NoError(t, err)
	defer w.Abort()
	for _, e := range entries {
		require.NoError(t, w.Add(e))
	}
	data, err := w.Close()
	require.NoError(t, err)
	return data
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		require.NoError(t, err)
		all = append(all, v)
	}
	return all
}

func lastError[T any](seq iter.Seq2[T, error]) error {
	var last error
	for _, err := range seq {
		last = err
	}
	return last
}
