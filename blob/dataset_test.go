package blob_test

import (
	"encoding/json"
	"testing"

	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDataset(t *testing.T) {
	t.Run("parts are ordered by key, and stay in their order within one", func(t *testing.T) {
		given := []task.Part{value("b", 1), value("a", 2), value("b", 0), value("a", 1)}
		data, err := open(t, "mem://").Dataset(t.Context(), "inputs", given)
		require.NoError(t, err)
		assert.Equal(t, []task.Part{value("a", 2), value("a", 1), value("b", 1), value("b", 0)}, data.Parts)
		assert.Equal(t, 2, data.Keys)
		assert.Equal(t, value("b", 1), given[0], "the caller's list is as it was")
	})
	t.Run("no parts are an empty dataset", func(t *testing.T) {
		data, err := open(t, "mem://").Dataset(t.Context(), "inputs", nil)
		require.NoError(t, err)
		assert.Equal(t, task.Inline(nil), data)
	})
	t.Run("the digest outlives any number of encodings of inline values", func(t *testing.T) {
		given := []task.Part{{Value: json.RawMessage("{ \"a\": \"<&\u2028>\",\n \"b\": [1, 2] }")}, {Value: json.RawMessage(" null ")}}
		data, err := open(t, "mem://").Dataset(t.Context(), "inputs", given)
		require.NoError(t, err)
		for range 3 {
			encoded, err := json.Marshal(data)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(encoded, &data))
			assert.Equal(t, data.Digest, task.Inline(data.Parts).Digest)
		}
	})
	t.Run("the same parts in other places have the same digest and their own manifest", func(t *testing.T) {
		store := open(t, "mem://")
		list := func(folder string) task.Dataset {
			var parts []task.Part
			for range 1000 {
				parts = append(parts, task.Part{Ref: &task.Ref{Key: folder + "/k", SHA256: task.NewDigest().Sum()}})
			}
			data, err := store.Dataset(t.Context(), "inputs", parts)
			require.NoError(t, err)
			return data
		}
		here, there := list("here"), list("there")
		assert.Equal(t, here.Digest, there.Digest)
		assert.NotEqual(t, here.Manifest, there.Manifest)
		r, err := store.OpenManifest(t.Context(), *there.Manifest)
		require.NoError(t, err)
		p, err := r.Part(t.Context(), 999)
		require.NoError(t, err)
		assert.Equal(t, "there/k", p.Ref.Key)
	})
	t.Run("a part that is none is named by its place", func(t *testing.T) {
		_, err := open(t, "mem://").Dataset(t.Context(), "inputs", []task.Part{value("a", 1), {Name: "odd"}})
		require.ErrorContains(t, err, `part 1: part "odd": it has neither`)
	})
}
