//go:build unix

package worker_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/worker"
)

func TestASecretComesFromTheEnvironmentAndElseFromAFileWithoutItsNewline(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"pg-main": "from the file", "unix": "line\n", "windows": "line\r\n", "lines": "one\ntwo\n\n", "spaces": " a b ",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	t.Setenv("DEED_SECRET_PG_MAIN", "from the environment")
	t.Setenv("DEED_SECRET_UNIX", "") // as if it were not set
	find := worker.LocalSecrets(dir, slog.New(slog.DiscardHandler))
	for name, want := range map[string]string{
		"pg-main": "from the environment", "pg.main": "from the environment", "unix": "line", "windows": "line", "lines": "one\ntwo\n", "spaces": " a b ",
	} {
		value, err := find(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, want, value, name)
	}
}

func TestASecretThatIsChangedHoldsFromTheNextTimeOn(t *testing.T) {
	// As Kubernetes mounts a secret: a link to a file below a link that is exchanged.
	dir := t.TempDir()
	for _, version := range []string{"v1", "v2"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, version), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, version, "pg"), []byte("of "+version), 0o600))
	}
	require.NoError(t, os.Symlink("v1", filepath.Join(dir, "..data")))
	require.NoError(t, os.Symlink("..data/pg", filepath.Join(dir, "pg")))
	find := worker.LocalSecrets(dir, slog.New(slog.DiscardHandler))
	value, err := find(t.Context(), "pg")
	require.NoError(t, err)
	require.Equal(t, "of v1", value)
	require.NoError(t, os.Symlink("v2", filepath.Join(dir, "next")))
	require.NoError(t, os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "..data")))
	value, err = find(t.Context(), "pg")
	require.NoError(t, err)
	require.Equal(t, "of v2", value)
}

func TestASecretThatIsNotThereIsAnErrorThatSaysWhereItWasLookedFor(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "empty"), []byte("\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "large"), []byte(strings.Repeat("x", 65<<10)), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	for name, want := range map[string]string{
		"pg":     "the variable DEED_SECRET_PG is not set, and there is no file " + filepath.Join(dir, "pg"),
		"empty":  filepath.Join(dir, "empty") + " is empty",
		"large":  filepath.Join(dir, "large") + " is longer than 64 KiB",
		"folder": filepath.Join(dir, "folder") + " is no file",
		"pipe":   filepath.Join(dir, "pipe") + " is no file",
		"../pg":  `"../pg" is no name of a secret`,
		"":       `"" is no name of a secret`,
	} {
		_, err := worker.LocalSecrets(dir, slog.New(slog.DiscardHandler))(t.Context(), name)
		require.ErrorContains(t, err, want)
	}
	_, err := worker.LocalSecrets("", slog.New(slog.DiscardHandler))(t.Context(), "pg")
	require.EqualError(t, err, "the variable DEED_SECRET_PG is not set, and no directory of secrets was given (--secrets)")
}

func TestAFileThatAnybodyMayReadIsUsedAndSaidOnce(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"open": 0o644, "closed": 0o640} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("hunter22"), mode))
		require.NoError(t, os.Chmod(path, mode))
	}
	var log bytes.Buffer
	find := worker.LocalSecrets(dir, slog.New(slog.NewTextHandler(&log, nil)))
	for range 3 {
		for _, name := range []string{"open", "closed"} {
			value, err := find(context.Background(), name)
			require.NoError(t, err)
			require.Equal(t, "hunter22", value)
		}
	}
	require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
	require.Contains(t, log.String(), filepath.Join(dir, "open"))
	require.NotContains(t, log.String(), "hunter22")
}
