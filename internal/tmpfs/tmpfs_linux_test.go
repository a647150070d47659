package tmpfs

import (
	"os"
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
	want := os.TempDir()
	if dir, ok := folder(); ok {
		want = dir
		require.DirExists(t, dir)
	}
	Use()
	require.Equal(t, want, os.TempDir())
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
