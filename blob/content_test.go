package blob

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestImportOfWhatChanges(t *testing.T) {
	store, err := Open(t.Context(), "mem://")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })

	t.Run("content that is another the second time is an error and leaves no blob", func(t *testing.T) {
		for _, second := range []string{"tsrif", "first and more", "firs", ""} {
			ref, err := contentRef(t.Context(), strings.NewReader("first"))
			require.NoError(t, err)
			require.ErrorIs(t, store.putContent(t.Context(), ref, strings.NewReader(second)), errChanged)
			_, err = store.Open(t.Context(), ref)
			require.ErrorIs(t, err, ErrNotFound)
		}
	})
	t.Run("a file with more in it than its size says is an error that names it", func(t *testing.T) {
		const path = "/proc/self/stat"
		if _, err := os.Stat(path); err != nil {
			t.Skip("needs a file system that makes up files")
		}
		_, err := store.ImportFile(t.Context(), path)
		require.ErrorIs(t, err, errChanged)
		assert.ErrorContains(t, err, path)
	})
}
