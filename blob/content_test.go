package blob

import (
	"io"
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

func TestContentIsStoredUnderNoOtherKeyThanItsOwn(t *testing.T) {
	s, err := Open(t.Context(), "mem://")
	require.NoError(t, err)
	ref, err := s.Import(t.Context(), strings.NewReader("hello"))
	require.NoError(t, err)
	write := func(text string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		}
	}
	require.NoError(t, s.StoreContent(t.Context(), ref, write("hello")))
	ref.Key = "inputs/" + ref.SHA256[:2] + "/" + ref.SHA256[2:]
	require.ErrorContains(t, s.StoreContent(t.Context(), ref, write("hallo")), "it changed")
	require.NoError(t, s.StoreContent(t.Context(), ref, write("hello")))
	ref.Key = "inputs/x"
	require.ErrorContains(t, s.StoreContent(t.Context(), ref, write("hello")), "not that of its content")
}
