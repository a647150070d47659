package blob_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
)

func TestABlobWhoseKeyIsNoPathIsReadFromTheFileThatTheBackendMadeOfIt(t *testing.T) {
	for _, key := range []string{"plain/key", "a../b", "dots..in/it", "ü/☃", "with blank", "-"} {
		t.Run(key, func(t *testing.T) {
			store := open(t, "file://"+t.TempDir())
			ref := put(t, store, key, "text of "+key)
			data, err := store.ReadAll(t.Context(), ref, 100)
			require.NoError(t, err)
			require.Equal(t, "text of "+key, string(data))
		})
	}
}

func TestAFolderUnderAKeyIsNoBlob(t *testing.T) {
	dir := t.TempDir()
	store := open(t, "file://"+dir)
	ref := put(t, store, "folder/blob", "text")
	ref.Key = "folder"
	_, err := store.Open(t.Context(), ref)
	require.ErrorIs(t, err, blob.ErrNotFound)
}

func TestAFileThatBecameShorterIsToldFromTheBlob(t *testing.T) {
	dir := t.TempDir()
	store := open(t, "file://"+dir)
	ref := put(t, store, "a/blob", "longer than what is left")
	require.NoError(t, os.Truncate(filepath.Join(dir, "a", "blob"), 4))
	r, err := store.Open(t.Context(), ref)
	require.NoError(t, err)
	defer r.Close()
	_, err = io.ReadAll(r)
	var corrupt *blob.CorruptError
	require.ErrorAs(t, err, &corrupt)
}
