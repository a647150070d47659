package blob_test

import (
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/blob/blobtest"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFileStore(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blobtest.Backend {
		dir := t.TempDir()
		raw, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, raw.Close()) })
		return blobtest.Backend{Store: open(t, "file://"+dir), Raw: raw}
	})
}

func TestMemoryStore(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blobtest.Backend {
		raw := memblob.OpenBucket(nil)
		store := blob.New(raw)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		return blobtest.Backend{Store: store, Raw: raw}
	})
}

// open opens a store for the time of the test.
func open(t testing.TB, url string) *blob.Store {
	t.Helper()
	store, err := blob.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}
