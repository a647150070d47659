package tmpfs

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyAFolderInMemoryWithRoomFromWhichProgramsStartIsUsed(t *testing.T) {
	good := syscall.Statfs_t{Type: tmpfsMagic, Bsize: 4096, Bavail: room / 4096}
	require.True(t, suits(good, room))
	for name, spoil := range map[string]func(*syscall.Statfs_t){
		"a disk":                     func(fs *syscall.Statfs_t) { fs.Type = 0xEF53 },
		"a folder with little room":  func(fs *syscall.Statfs_t) { fs.Bavail-- },
		"one that starts no program": func(fs *syscall.Statfs_t) { fs.Flags |= noexec },
	} {
		bad := good
		spoil(&bad)
		require.False(t, suits(bad, room), name)
	}
	require.False(t, suits(good, room-1), "a machine with little memory")
}

func TestWhoeverSaysWhereTemporaryFilesLieIsObeyed(t *testing.T) {
	own := t.TempDir()
	t.Setenv("TMPDIR", own)
	Use()
	require.Equal(t, own, os.TempDir())

	t.Setenv("TMPDIR", "")
	on := os.TempDir()
	Use()
	if dir := os.Getenv("TMPDIR"); dir != "" {
		require.Equal(t, shared, filepath.Dir(dir))
		require.DirExists(t, os.TempDir())
		return
	}
	require.Equal(t, on, os.TempDir(), "the machine has no such folder")
}

func TestWhatAProcessLeftThatWasKilledIsRemovedAndNothingElse(t *testing.T) {
	in := t.TempDir()
	dead, other := filepath.Join(in, ours+"dead"), filepath.Join(in, "other")
	for _, dir := range []string{dead, other} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "deep"), 0o700))
	}
	own, ok := claim(in)
	require.True(t, ok)
	lock := claimed
	defer lock.Close()
	require.NoDirExists(t, dead)
	require.DirExists(t, other)

	sweep(in)
	require.DirExists(t, own, "its process lives")
	require.NoError(t, lock.Close())
	sweep(in)
	require.NoDirExists(t, own)
}

func TestAFolderThatTakesNoAttributesIsNotUsed(t *testing.T) {
	require.False(t, attributes("/proc"), "nobody makes files there")
	require.False(t, attributes(t.TempDir()+"/none"))
	dir := t.TempDir()
	if !attributes(dir) {
		t.Skip("the file system of temporary files takes no attributes: " + dir)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestTheMachineSaysHowMuchMemoryItCouldStillGiveAway(t *testing.T) {
	var info syscall.Sysinfo_t
	require.NoError(t, syscall.Sysinfo(&info))
	require.Positive(t, available())
	require.LessOrEqual(t, available(), uint64(info.Totalram)*uint64(info.Unit)) //nolint:unconvert // not on every architecture
}
