package folder_test

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/folder"
)

func opened(t *testing.T) folder.Folder {
	t.Helper()
	f, err := folder.Open(filepath.Join(t.TempDir(), "data"), true)
	require.NoError(t, err)
	return f
}

// dead is the number of no process.
const dead = math.MaxInt32

func TestAFolderIsMadeOnlyIfThatIsAskedFor(t *testing.T) {
	name := filepath.Join(t.TempDir(), "data")
	_, err := folder.Open(name, false)
	var none *folder.NoFolderError
	require.ErrorAs(t, err, &none)
	require.Equal(t, name, none.Dir)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = folder.Open(name, true)
	require.NoError(t, err)
	file := filepath.Join(name, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = folder.Open(file, false)
	require.ErrorContains(t, err, "it is a file")
}

func TestWhoServesAFolderIsFoundUntilItWithdraws(t *testing.T) {
	f := opened(t)
	var unserved *folder.UnservedError
	_, err := f.Server()
	require.ErrorAs(t, err, &unserved)
	here := folder.Address{URL: "nats://127.0.0.1:4222", Token: "secret", PID: os.Getpid()}
	require.NoError(t, f.Announce(here))
	at, err := f.Server()
	require.NoError(t, err)
	require.Equal(t, here, at)
	last, _ := f.Crashed()
	require.Zero(t, last, "it goes on")
	info, err := os.Stat(filepath.Join(f.Dir(), "server.json"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), "it holds the token")
	f.Withdraw()
	_, err = f.Server()
	require.ErrorAs(t, err, &unserved)
}

func TestWhereAKilledServerWasIsKnownToTheNext(t *testing.T) {
	f := opened(t)
	killed := folder.Address{URL: "nats://127.0.0.1:4222", Token: "secret", PID: dead}
	require.NoError(t, f.Announce(killed))
	_, err := f.Server()
	require.ErrorContains(t, err, "has ended")
	last, listen := f.Crashed()
	require.Equal(t, killed, last)
	require.Equal(t, "127.0.0.1:4222", listen)
	url, ok := folder.Served(f.Dir())
	require.Equal(t, killed.URL, url)
	require.False(t, ok)
}

func TestWhatKilledProcessesLeftIsSweptAndWhatOthersUseIsNot(t *testing.T) {
	f := opened(t)
	of := func(pid int) string { return filepath.Join(f.Dir(), "tmp", strconv.Itoa(pid)) }
	for _, pid := range []int{dead, os.Getppid()} {
		require.NoError(t, os.MkdirAll(of(pid), 0o700))
	}
	f.Sweep()
	require.NoDirExists(t, of(dead))
	require.DirExists(t, of(os.Getppid()))
}

func TestPlacesThatAreGrantedAddUp(t *testing.T) {
	f := opened(t)
	for _, area := range []string{"file:///in/", "s3://bucket/a/", "file:///in/"} {
		require.NoError(t, f.Grant(area))
	}
	all, err := f.Granted()
	require.NoError(t, err)
	require.Equal(t, []string{"file:///in/", "s3://bucket/a/"}, all)
}
