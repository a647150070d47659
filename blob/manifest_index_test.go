package blob

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An index with the right checksum was written by somebody; that it makes
// sense is checked all the same.
func TestManifestIndex(t *testing.T) {
	const right = `{"manifest":1,"count":5,"chunks":2,"keys":2}
{"first":0,"offset":0,"length":30}
{"first":3,"offset":30,"length":20}
{"key":"a","first":0,"count":1}
{"key":"b","first":1,"count":4}
`
	t.Run("what describes a list is read", func(t *testing.T) {
		x, err := readIndex(strings.NewReader(right), 50)
		require.NoError(t, err)
		assert.Equal(t, 5, x.count)
		assert.Equal(t, []int{0, 0, 0, 1, 1}, []int{x.chunkOf(0), x.chunkOf(1), x.chunkOf(2), x.chunkOf(3), x.chunkOf(4)})
		assert.Equal(t, []int{3, 2}, []int{x.chunkCount(0), x.chunkCount(1)})
	})
	for _, c := range []struct{ name, old, new, says string }{
		{"another format", `"manifest":1`, `"manifest":2`, "format 2 is not known to this version"},
		{"a line too few", `"keys":2`, `"keys":3`, "it ends before the lines"},
		{"a line too many", `"keys":2`, `"keys":1`, "more lines than the header announces"},
		{"a line that is not JSON", `"keys":2}`, `"keys":2`, "line 1: "},
		{"a line without an end", `"key":"a"`, `"key":"` + strings.Repeat("a", maxReadLine), "longer than"},
		{"a gap between chunks", `"offset":30`, `"offset":31`, "chunk 1 does not follow"},
		{"a first chunk that is not the first", `"first":0,"offset"`, `"first":1,"offset"`, "chunk 0 does not follow"},
		{"an empty chunk", `"length":30`, `"length":0`, "chunk 0 has 0 bytes"},
		{"a huge chunk", `"length":30`, `"length":9000000`, "chunk 0 has 9000000 bytes"},
		{"a chunk after the last entry", `"first":3`, `"first":5`, "chunks go on after the last"},
		{"chunks that end elsewhere", `"length":20`, `"length":21`, "chunks end at 51, the index begins at 50"},
		{"keys out of order", `"key":"b"`, `"key":"Z"`, `key "Z" does not follow`},
		{"a gap between keys", `"first":1`, `"first":2`, `key "b" does not follow`},
		{"a key without entries", `"count":4`, `"count":0`, `key "b" does not follow`},
		{"a count that is not that of the keys", `"count":5`, `"count":6`, "its keys have 5 entries, the header says 6"},
	} {
		t.Run(c.name+" is an error", func(t *testing.T) {
			altered := strings.Replace(right, c.old, c.new, 1)
			require.NotEqual(t, right, altered)
			_, err := readIndex(strings.NewReader(altered), 50)
			require.ErrorContains(t, err, c.says)
		})
	}
	t.Run("keys without chunks are an error", func(t *testing.T) {
		_, err := readIndex(strings.NewReader("{\"manifest\":1,\"count\":1,\"keys\":1}\n{\"key\":\"a\",\"first\":0,\"count\":1}\n"), 0)
		require.ErrorContains(t, err, "it has 1 entries and no chunks")
	})
}
