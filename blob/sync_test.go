package blob_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
)

func TestABlobIsSyncedInEveryStoreAndOneThatIsNotThereIsSaidToBeMissing(t *testing.T) {
	for _, address := range []string{"mem://", "file://" + t.TempDir()} {
		s, err := blob.Open(t.Context(), address)
		require.NoError(t, err)
		defer s.Close()
		require.NoError(t, s.StoreNamed(t.Context(), "archives/p.tar.gz", []byte("x")))
		require.NoError(t, s.Sync(t.Context(), "archives/p.tar.gz"))
		require.ErrorContains(t, s.Sync(t.Context(), "../p"), "sync blob")
		if address != "mem://" {
			require.ErrorIs(t, s.Sync(t.Context(), "archives/q.tar.gz"), blob.ErrNotFound)
		}
	}
}
