package blob_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOpen(t *testing.T) {
	t.Run("a directory is created, for the owner only, with nothing but blobs in it", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a folder", "blobs")
		store := open(t, "file://"+strings.ReplaceAll(dir, " ", "%20"))
		ref := put(t, store, "a/b", "hello")
		w, err := store.Create(t.Context(), "a/c")
		require.NoError(t, err)
		w.Abort()
		info, err := os.Stat(dir)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
		assert.Equal(t, []string{"a/b"}, filesBelow(t, dir))
		data, err := open(t, "file://"+dir).ReadAll(t.Context(), ref, 10)
		require.NoError(t, err, "a second store in the same place")
		assert.Equal(t, "hello", string(data))
	})
	t.Run("a relative directory lies in the working directory", func(t *testing.T) {
		dir := t.TempDir()
		t.Chdir(dir)
		put(t, open(t, "file://.deed/blobs"), "k", "x")
		assert.Equal(t, []string{".deed/blobs/k"}, filesBelow(t, dir))
	})
	t.Run("each store in memory is its own", func(t *testing.T) {
		ref := put(t, open(t, "mem://"), "k", "x")
		_, err := open(t, "mem://").ReadAll(t.Context(), ref, 10)
		require.ErrorIs(t, err, blob.ErrNotFound)
	})
	for _, c := range []struct{ url, says string }{
		{"ftp://host/dir", `unknown scheme "ftp" (known schemes: file, mem)`},
		{"/var/blobs", "it has no scheme; write a URL like file:///abs/dir (known schemes: file, mem)"},
		{"", "it has no scheme"},
		{"file://", "the directory is missing"},
		{"file:///dir?no_tmp_dir=true", "a directory takes no parameters"},
		{"file:///100%", "a percent sign in a path is written %25"},
		{"mem://name", "a store in memory has no name"},
		{"file:///dev/null", "not a directory"},
	} {
		t.Run(c.url+" is refused", func(t *testing.T) {
			_, err := blob.Open(t.Context(), c.url)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, `open blob store "`+c.url)
		})
	}
}

func TestImportOfALargeFile(t *testing.T) {
	store := open(t, "file://"+t.TempDir())
	path := filepath.Join(t.TempDir(), "sparse")
	const size = 256 << 20
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	require.NoError(t, os.Truncate(path, size))

	before := allocated()
	ref, err := store.ImportFile(t.Context(), path)
	require.NoError(t, err)
	assert.EqualValues(t, size, ref.Size)
	assert.Less(t, allocated()-before, uint64(4<<20), "bytes allocated in all, garbage included")
}

func TestImportOfWhatIsNoFile(t *testing.T) {
	store := open(t, "mem://")
	_, err := store.ImportFile(t.Context(), "/dev/null")
	require.ErrorContains(t, err, `import file "/dev/null": it is a device, not a regular file`)
	_, err = store.ImportFile(t.Context(), t.TempDir())
	require.ErrorContains(t, err, "it is a directory")
}

// allocated is how many bytes of heap were ever handed out.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func put(t testing.TB, store *blob.Store, key, data string) task.Ref {
	t.Helper()
	w, err := store.Create(t.Context(), key)
	require.NoError(t, err)
	defer w.Abort()
	_, err = w.Write([]byte(data))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return w.Ref()
}

func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			relative, _ := filepath.Rel(dir, path)
			files = append(files, filepath.ToSlash(relative))
		}
		return err
	}))
	return files
}
