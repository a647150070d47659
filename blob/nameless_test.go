package blob

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func namelessStore(t *testing.T) (s *Store, dir string) {
	t.Helper()
	dir = t.TempDir()
	s, err := Open(t.Context(), "file://"+dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	w, err := s.Create(t.Context(), "probe/0")
	require.NoError(t, err)
	defer w.Abort()
	if w.nameless == nil {
		t.Skip("files without a name: the system, or the file system of temporary files, has none")
	}
	return s, dir
}

func TestAnUnfinishedFileIsInNoFolder(t *testing.T) {
	s, dir := namelessStore(t)
	w, err := s.Create(t.Context(), "p/a/0")
	require.NoError(t, err)
	_, err = w.Write(make([]byte, 100<<10))
	require.NoError(t, err)
	entries, err := os.ReadDir(filepath.Join(dir, "p/a"))
	require.NoError(t, err)
	require.Empty(t, entries)
	w.Abort()
	require.Error(t, w.Close())
	entries, err = os.ReadDir(filepath.Join(dir, "p/a"))
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestAFolderThatIsSweptWhileABlobIsWrittenIsMadeAgain(t *testing.T) {
	s, dir := namelessStore(t)
	w, err := s.Create(t.Context(), "p/a/0")
	require.NoError(t, err)
	_, err = w.Write([]byte("text"))
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "p")))
	require.NoError(t, w.Close())
	r, err := s.Open(t.Context(), w.Ref())
	require.NoError(t, err)
	require.NoError(t, r.Close())
}

func TestAFileThatCannotBeNamedIsWrittenByTheBackend(t *testing.T) {
	s, dir := namelessStore(t)
	w, err := s.Create(t.Context(), "p/a/0")
	require.NoError(t, err)
	_, err = w.Write([]byte("text"))
	require.NoError(t, err)
	require.NoError(t, w.buf.Flush())
	elsewhere, err := os.CreateTemp("/dev/shm", "deed-")
	if err != nil {
		t.Skipf("another file system: %v", err)
	}
	defer os.Remove(elsewhere.Name())
	_, err = elsewhere.WriteString("text")
	require.NoError(t, err)
	require.NoError(t, w.nameless.Close())
	w.nameless = elsewhere // of which no link can be made here
	require.NoError(t, w.Close())
	text, err := os.ReadFile(filepath.Join(dir, "p/a/0"))
	require.NoError(t, err)
	require.Equal(t, "text", string(text))
}
