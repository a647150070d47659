package natsaccounts_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/internal/natsaccounts"
)

func TestKeysAreMadeOnceAndOnlyTheirOwnerReadsThem(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	_, err := natsaccounts.Folder{Dir: dir}.Write([]string{"gpu"})
	require.NoError(t, err)
	seeds := map[string]string{}
	for _, name := range []string{"orchestrator", "monitor", "system", "worker", "worker-gpu"} {
		file := filepath.Join(dir, name+".nk")
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
		seed, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotContains(t, seeds, string(seed))
		seeds[string(seed)] = file
	}
	config, err := os.ReadFile(filepath.Join(dir, natsaccounts.ConfigFile))
	require.NoError(t, err)
	for seed := range seeds {
		require.NotContains(t, string(config), seed[:20], "the configuration holds no secret")
	}

	again, err := natsaccounts.Folder{Dir: dir}.Write(nil)
	require.NoError(t, err)
	for _, change := range again {
		require.Equal(t, "kept", change.What, change.File)
	}
	same, err := os.ReadFile(filepath.Join(dir, natsaccounts.ConfigFile))
	require.NoError(t, err)
	require.Equal(t, string(config), string(same), "a pool that was named before stays")

	more, err := natsaccounts.Folder{Dir: dir}.Write([]string{"big"})
	require.NoError(t, err)
	require.Contains(t, more, natsaccounts.Change{File: filepath.Join(dir, "worker-big.nk"), What: "new"})
	for seed, file := range seeds {
		now, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, seed, string(now), "%s is kept", file)
	}
}

func TestWhatDeedDidNotWriteIsNotOverwritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, natsaccounts.ConfigFile)
	require.NoError(t, os.WriteFile(config, []byte("accounts {}"), 0o600))
	_, err := natsaccounts.Folder{Dir: dir}.Write(nil)
	require.ErrorContains(t, err, "was not written by deed")
	require.NoError(t, os.Remove(config))

	key := filepath.Join(dir, "worker.nk")
	require.NoError(t, os.WriteFile(key, []byte("no seed"), 0o600))
	_, err = natsaccounts.Folder{Dir: dir}.Write(nil)
	require.ErrorContains(t, err, "holds no seed: remove it")
	text, err := os.ReadFile(key)
	require.NoError(t, err)
	require.Equal(t, "no seed", string(text))
}

func TestKeysAreReplacedWithoutShuttingAnybodyOut(t *testing.T) {
	t.Parallel()
	l := lock(t, "")
	reload := func(f natsaccounts.Folder) {
		f.Dir = l.dir
		_, err := f.Write(nil)
		require.NoError(t, err)
		options := l.config("")
		options.Port = l.server.Addr().(*net.TCPAddr).Port
		require.NoError(t, l.server.ReloadOptions(options))
	}
	before := l.as("worker")
	reload(natsaccounts.Folder{Replace: true})
	require.True(t, before.IsConnected(), "who has the former key goes on")
	former, err := os.ReadFile(filepath.Join(l.dir, "worker.nk.former"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(l.dir, "thief.nk"), former, 0o600))
	l.as("thief").Close()
	l.as("worker").Close()

	_, err = natsaccounts.Folder{Dir: l.dir, Replace: true}.Write(nil)
	require.ErrorContains(t, err, "still counts: drop the former seeds first")

	reload(natsaccounts.Folder{Drop: true})
	_, err = l.tryAs("thief")
	require.ErrorIs(t, err, nats.ErrAuthorization)
	require.Eventually(t, func() bool { return !before.IsConnected() }, 10*time.Second, 10*time.Millisecond, "who has the former key is cut off")
	l.as("worker").Close()
}
