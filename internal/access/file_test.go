package access_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
)

const chosen = "a-token-somebody-made-up"

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestWhoShowsTheTokenOfTheFileIsAnAdmin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write(t, path, chosen+"\n")
	f, err := access.NewFile(path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	who, err := f.Authenticate(t.Context(), chosen)
	require.NoError(t, err)
	require.Equal(t, access.Principal{Name: "admin", Token: "file", Role: wire.Admin}, who)
	for _, wrong := range []string{"", chosen + "\n", chosen[1:], strings.ToUpper(chosen)} {
		_, err = f.Authenticate(t.Context(), wrong)
		require.ErrorIs(t, err, access.ErrUnknown)
	}
}

func TestReplacingTheFileReplacesItsTokenAndRemovingItTakesItBack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	write(t, filepath.Join(dir, "1"), chosen)
	write(t, filepath.Join(dir, "2"), chosen+"-2") // as a mounted secret is replaced: by a link
	require.NoError(t, os.Symlink("1", path))
	var log bytes.Buffer
	f, err := access.NewFile(path, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	require.NoError(t, os.Symlink("2", filepath.Join(dir, "next")))
	require.NoError(t, os.Rename(filepath.Join(dir, "next"), path))
	_, err = f.Authenticate(t.Context(), chosen)
	require.ErrorIs(t, err, access.ErrUnknown)
	_, err = f.Authenticate(t.Context(), chosen+"-2")
	require.NoError(t, err)

	require.NoError(t, os.Remove(path))
	for range 3 {
		_, err = f.Authenticate(t.Context(), chosen+"-2")
		require.ErrorIs(t, err, access.ErrUnknown)
	}
	require.Equal(t, 1, strings.Count(log.String(), "nobody is let in"), log.String())
	require.NotContains(t, log.String(), chosen)
	require.NoError(t, os.Symlink("1", path))
	_, err = f.Authenticate(t.Context(), chosen)
	require.NoError(t, err)
}

func TestAFileThatIsNoSafePlaceForATokenIsRefusedWithTheRemedy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		says string
	}{
		"others can read it":  {chosen, 0o604, "chmod 600 " + path},
		"others can write it": {chosen, 0o602, "chmod 600 " + path},
		"it is short":         {chosen[:19], 0o600, "19 characters, and needs 20: `openssl rand -hex 32 > " + path},
		"it is empty":         {" \n", 0o600, "is empty"},
		"it has two lines":    {chosen + "\n" + chosen, 0o600, "one line"},
		"it is no text":       {chosen + "\x00", 0o600, "one line"},
		"it is very long":     {strings.Repeat("a", 5000), 0o600, "does not hold a token"},
	} {
		write(t, path, c.text)
		require.NoError(t, os.Chmod(path, c.mode))
		_, err := access.NewFile(path, nil)
		var bad *access.FileError
		require.ErrorAs(t, err, &bad, name)
		require.ErrorContains(t, err, c.says, name)
		require.NotContains(t, err.Error(), chosen[:19], name)
		require.NoError(t, os.Chmod(path, 0o600))
	}
	write(t, path, chosen)
	require.NoError(t, os.Chmod(path, 0o440)) // the group is that of a mounted secret
	_, err := access.NewFile(path, nil)
	require.NoError(t, err)
	_, err = access.NewFile(path+".not", nil)
	require.ErrorContains(t, err, "no such file")
}
