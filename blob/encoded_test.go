package blob_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/require"
)

// encoded is a manifest of count parts, and its bytes.
func encoded(t testing.TB, count int) (task.Dataset, []byte) {
	t.Helper()
	store := open(t, "mem://")
	data, _ := manifest(t, store, count, "a", "b")
	r, err := store.Open(t.Context(), data.Manifest.Ref)
	require.NoError(t, err)
	defer r.Close()
	whole, err := io.ReadAll(r)
	require.NoError(t, err)
	return data, whole
}

// indexOf is the index of a manifest of one chunk and one key.
func indexOf(length, count int, sum string) string {
	return fmt.Sprintf(`{"manifest":1,"count":%d,"chunks":1,"keys":1}`+"\n"+
		`{"first":0,"offset":0,"length":%d,"sha256":%q}`+"\n"+
		`{"key":"a","first":0,"count":%d}`+"\n", count, length, sum, count)
}

// What is written today must be readable for ever.
func TestManifestFormat(t *testing.T) {
	_, whole := encoded(t, 1)
	require.Equal(t, `{"index":0,"ordinal":0,"key":"a","value":0}
{"index":1,"ordinal":0,"key":"b","value":1}
{"manifest":1,"count":2,"chunks":1,"keys":2}
{"first":0,"offset":0,"length":88,"sha256":"329a4b0614a4548921a17d9142b08796f9c9f1cdc21fdff6e992c3bedefd3afd"}
{"key":"a","first":0,"count":1}
{"key":"b","first":1,"count":1}
`, string(whole))
}
