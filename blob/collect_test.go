package blob_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tree makes a folder with files, whose content is their path.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range files {
		path := filepath.Join(dir, file)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	}
	return dir
}

// found lists what Collect finds as "key|name", in order.
func found(t *testing.T, input string) []string {
	t.Helper()
	files, err := blob.Collect(input)
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Key+"|"+f.Name)
		_, err := os.Stat(f.Path)
		require.NoError(t, err, "the path opens")
	}
	return names
}

func TestCollect(t *testing.T) {
	t.Run("a file is itself", func(t *testing.T) {
		assert.Equal(t, []string{"|f.txt"}, found(t, filepath.Join(tree(t, "a/f.txt"), "a", "f.txt")))
	})
	t.Run("a folder is every file below it, by folder and name bytewise", func(t *testing.T) {
		dir := tree(t, "z", "b/1", "b/10", "b/2", "b-c/x", "b/sub/y", "Ü/x", ".hidden", ".git/config", "a\nb")
		want := []string{"|.hidden", "|a\nb", "|z", ".git|config", "b|1", "b|10", "b|2", "b-c|x", "b/sub|y", "Ü|x"}
		assert.Equal(t, want, found(t, dir))
		assert.Equal(t, want, found(t, dir+"/"))
	})
	t.Run("the folder of deed itself is left out, unless it is asked for", func(t *testing.T) {
		dir := tree(t, "a", ".deed/blobs/b", "sub/.deed/c")
		assert.Equal(t, []string{"|a"}, found(t, dir))
		assert.Equal(t, []string{"blobs|b"}, found(t, dir+"/.deed"))
	})
	t.Run("an empty folder is an empty list", func(t *testing.T) {
		assert.Empty(t, found(t, t.TempDir()))
	})
	t.Run("a pattern is what it matches, keyed from the last fixed folder on", func(t *testing.T) {
		dir := tree(t, "in/a.csv", "in/b.csv", "in/c.txt", "in/x/a.csv", "in/y/deep/a.csv")
		assert.Equal(t, []string{"|a.csv", "|b.csv"}, found(t, dir+"/in/*.csv"))
		assert.Equal(t, []string{"in/x|a.csv"}, found(t, dir+"/*/x/*.csv"))
		assert.Equal(t, found(t, dir+"/in"), found(t, dir+"/in/*"))
		t.Chdir(dir)
		assert.Equal(t, []string{"x|a.csv", "y/deep|a.csv"}, found(t, "in/[xy]"))
	})
	t.Run("a file whose name looks like a pattern is that file", func(t *testing.T) {
		dir := tree(t, "a[1].txt", "a1.txt")
		assert.Equal(t, []string{"|a[1].txt"}, found(t, dir+"/a[1].txt"))
		assert.Equal(t, []string{"|a1.txt"}, found(t, dir+"/a[0-9].txt"))
	})
}

func TestCollectFollowsLinks(t *testing.T) {
	t.Run("a link is followed under its own name", func(t *testing.T) {
		target := tree(t, "data/f")
		dir := tree(t, "real/x")
		link(t, filepath.Join(target, "data", "f"), filepath.Join(dir, "file"))
		link(t, filepath.Join(target, "data"), filepath.Join(dir, "folder"))
		link(t, filepath.Join(dir, "real"), filepath.Join(dir, "twice"))
		assert.Equal(t, []string{"|file", "folder|f", "real|x", "twice|x"}, found(t, dir))
	})
	t.Run("a link back to a folder that it lies in is an error that names it", func(t *testing.T) {
		dir := tree(t, "a/b/f")
		back := filepath.Join(dir, "a", "b", "back")
		link(t, filepath.Join(dir, "a"), back)
		refused(t, dir, back, "leads back to a folder that it lies in")
	})
	t.Run("a link to nothing is an error that names both", func(t *testing.T) {
		dir := t.TempDir()
		link(t, "nowhere", filepath.Join(dir, "dangling"))
		refused(t, dir, "dangling", `is a link to "nowhere", which does not exist`)
		refused(t, dir+"/dangling", `is a link to "nowhere"`)
	})
	t.Run("a link to itself is an error", func(t *testing.T) {
		dir := t.TempDir()
		link(t, "self", filepath.Join(dir, "self"))
		refused(t, dir, "self")
	})
}

func TestCollectRefuses(t *testing.T) {
	t.Run("a path that is not there", func(t *testing.T) { refused(t, "no/such", "no/such", "no such file") })
	t.Run("a pattern that matches nothing", func(t *testing.T) { refused(t, t.TempDir()+"/*.csv", "nothing matches") })
	t.Run("a pattern that is none", func(t *testing.T) { refused(t, t.TempDir()+"/[", "syntax error in pattern") })
	t.Run("a named pipe, without waiting for its other end", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
		refused(t, dir, "pipe", "is a named pipe")
	})
	t.Run("a socket", func(t *testing.T) {
		t.Chdir(t.TempDir())
		listener, err := net.Listen("unix", "sock")
		require.NoError(t, err)
		defer listener.Close()
		refused(t, ".", "sock", "is a socket")
	})
	t.Run("a device", func(t *testing.T) { refused(t, "/dev/null", "is a device") })
	t.Run("a name that is not UTF-8", func(t *testing.T) { refused(t, tree(t, "bad\xff"), `bad\xff`, "not valid UTF-8") })
	t.Run("a folder that cannot be read", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root can read every folder")
		}
		dir := tree(t, "closed/f")
		require.NoError(t, os.Chmod(filepath.Join(dir, "closed"), 0))
		t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "closed"), 0o700) })
		refused(t, dir, "closed", "permission denied")
	})
}

func refused(t *testing.T, input string, says ...string) {
	t.Helper()
	files, err := blob.Collect(input)
	require.Error(t, err)
	assert.Nil(t, files)
	for _, s := range says {
		require.ErrorContains(t, err, s)
	}
}

func link(t *testing.T, target, at string) {
	t.Helper()
	require.NoError(t, os.Symlink(target, at))
}
