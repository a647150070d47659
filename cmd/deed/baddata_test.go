//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const twoSteps = `deed: v1
name: two
inputs: [x]
params: {between: "true"}
steps:
  a: {sh: 'cp "$DEED_IN/x" "$DEED_OUT/y"', each: x, out: [y]}
  b: {sh: 'eval "$DEED_PARAM_BETWEEN"', after: [a]}
  c: {sh: 'cat "$DEED_IN"/y/* > "$DEED_OUT/z"', in: [y], out: [z], after: [b], retry: {attempts: 2, backoff: 1ms}}
outputs: [z]
`

// blobOf is the one blob that a step wrote.
func blobOf(t *testing.T, dir, process, step string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, ".deed/blobs", process, step, "*/*/*/0"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

func setByte(t *testing.T, path string, at int64, value byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{value}, at)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestABlobThatIsGoneOrAlteredIsNamedAndNothingHangs(t *testing.T) {
	t.Parallel()
	t.Run("gone before a task reads it", func(t *testing.T) {
		dir := write(t, t.TempDir(), map[string]string{"def.yaml": twoSteps, "x": "hello"})
		o := deedIn(t, dir, "run", "def.yaml", "--in", "x=x", "--id", "p",
			"--param", "between=rm -r '"+filepath.Join(dir, ".deed/blobs/p/a")+"'")
		assert.Equal(t, exitFailed, o.code)
		assert.Regexp(t, `deed: p: process failed at c\[0\], attempt 2 on worker \S+: .*open blob "p/a/0/0/1-[0-9a-f]+/0": blob not found`, o.stderr)
		assert.Contains(t, o.stderr, "what it printed:")
	})
	t.Run("gone or altered before it is exported", func(t *testing.T) {
		for name, c := range map[string]struct {
			harm func(blob string)
			says string
		}{
			"gone":    {func(blob string) { require.NoError(t, os.Remove(blob)) }, `open blob "p/c/0/0/1-[0-9a-f]+/0": blob not found`},
			"altered": {func(blob string) { setByte(t, blob, 1, 'E') }, `blob "p/c/0/0/1-[0-9a-f]+/0" is corrupt: want SHA-256`},
			"cut":     {func(blob string) { require.NoError(t, os.Truncate(blob, 1)) }, `blob "p/c/0/0/1-[0-9a-f]+/0" is corrupt: want 5 bytes, got 1 bytes`},
		} {
			dir := write(t, t.TempDir(), map[string]string{"def.yaml": twoSteps, "x": "hello"})
			require.Zero(t, deedIn(t, dir, "run", "def.yaml", "--in", "x=x", "--id", "p").code)
			c.harm(blobOf(t, dir, "p", "c"))
			o := deedIn(t, dir, "run", "def.yaml", "--in", "x=x", "--id", "p", "--out", "again")
			assert.Equal(t, exitFailed, o.code, name)
			assert.Regexp(t, "deed: p completed, but: write output z: "+c.says, o.stderr, name)
			assert.Contains(t, o.stderr, "once that blob is restored from a copy (or start the job under another ID)", name)
			assert.NoFileExists(t, filepath.Join(dir, "again", "z"), name)
		}
	})
	t.Run("an input altered in the store: what the error advises helps", func(t *testing.T) {
		dir := write(t, t.TempDir(), map[string]string{"def.yaml": copying, "x": "hello"})
		require.Zero(t, deedIn(t, dir, "run", "def.yaml", "--in", "x=x").code)
		stored, err := filepath.Glob(filepath.Join(dir, ".deed/blobs/sha256/*/*"))
		require.NoError(t, err)
		require.Len(t, stored, 1)
		setByte(t, stored[0], 0, 'J')
		o := deedIn(t, dir, "run", "def.yaml", "--in", "x=x")
		assert.Equal(t, exitFailed, o.code)
		assert.Contains(t, o.stderr, "remove it there, and produce or import it again")
		require.NoError(t, os.Remove(stored[0]))
		o = deedIn(t, dir, "run", "def.yaml", "--in", "x=x")
		assert.Zero(t, o.code, o.stderr)
		assert.Equal(t, "hello", o.stdout)
	})
}

func TestADamagedEventLogIsNeverTakenForAnEmptyOrShorterOne(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{"def.yaml": copying, "x": "hello"})
	log := filepath.Join(dir, ".deed/nats/jetstream/$G/streams/DEED_EVENTS/msgs/1.blk")
	require.Zero(t, deedIn(t, dir, "run", "def.yaml", "--in", "x=x", "--id", "hurt").code)
	info, err := os.Stat(log)
	require.NoError(t, err)
	whole := readFile(t, log)

	t.Run("cut: everything is refused, and a copy helps", func(t *testing.T) {
		require.NoError(t, os.Truncate(log, info.Size()/2))
		for _, line := range []string{"ps", "history hurt", "run def.yaml --in x=x --id other"} {
			o := deedIn(t, dir, strings.Fields(line)...)
			assert.Equal(t, exitFailed, o.code, line)
			assert.Contains(t, o.stderr, `stream "DEED_EVENTS" has lost messages`, line)
			assert.Contains(t, o.stderr, "restore the directory from a copy", line)
		}
		require.NoError(t, os.WriteFile(log, []byte(whole), 0o600))
		assert.Contains(t, deedIn(t, dir, "history", "hurt").stdout, "process completed")
	})
	t.Run("one byte altered: its process is refused, the others go on", func(t *testing.T) {
		at := strings.LastIndex(whole, "process-completed")
		require.Positive(t, at)
		setByte(t, log, int64(at), 'P')
		o := deedIn(t, dir, "run", "def.yaml", "--in", "x=x", "--id", "hurt")
		assert.Equal(t, exitFailed, o.code)
		assert.Contains(t, o.stderr, `"process-hurt" is damaged`)
		o = deedIn(t, dir, "run", "def.yaml", "--in", "x=x", "--id", "healthy")
		assert.Zero(t, o.code, o.stderr)
	})
}

func TestADataFolderThatIsNoneIsRefusedWithTheRemedy(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{"def.yaml": copying, "x": "hello", "file": ""})
	for line, says := range map[string]string{
		"ps --data file":                          `open folder "file": it is a file; choose another with --data`,
		"run def.yaml --in x=x --data file":       `not a directory; choose another with --data`,
		"run def.yaml --in x=x --data /proc/none": `choose another with --data`,
	} {
		o := deedIn(t, dir, strings.Fields(line)...)
		assert.Equal(t, exitFailed, o.code, line)
		assert.Contains(t, o.stderr, says, line)
	}
}

func TestAnAddressFromBeforeTheCrashIsNoObstacle(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{"def.yaml": copying, "x": "hello"})
	require.Zero(t, deedIn(t, dir, "run", "def.yaml", "--in", "x=x", "--id", "a").code)
	for name, text := range map[string]string{
		"junk":                    "junk",
		"a dead process":          `{"url":"nats://127.0.0.1:1","token":"t","pid":99999999}`,
		"a stranger's process ID": fmt.Sprintf(`{"url":"nats://127.0.0.1:1","token":"t","pid":%d}`, os.Getpid()),
		"no address":              fmt.Sprintf(`{"pid":%d}`, os.Getpid()),
	} {
		for _, line := range []string{"ps", "run def.yaml --in x=x --id a"} {
			write(t, dir, map[string]string{".deed/server.json": text})
			o := deedIn(t, dir, strings.Fields(line)...)
			assert.Zero(t, o.code, "%s, %s: %s", name, line, o.stderr)
		}
	}
}

func TestTwoRunsAndAListStartedAtOnceOnAFreshFolderAllSucceed(t *testing.T) {
	t.Parallel()
	for round := range max(much(20), 5) {
		t.Run(fmt.Sprintf("round %d", round), func(t *testing.T) {
			t.Parallel()
			dir := write(t, t.TempDir(), map[string]string{"def.yaml": copying, "x": "hello"})
			require.NoError(t, os.Mkdir(filepath.Join(dir, "data"), 0o700))
			var ends []func() ending
			for _, line := range []string{"run def.yaml --in x=x --id a", "run def.yaml --in x=x --id b", "ps -o json"} {
				ends = append(ends, begin(t, deedCommand(t, dir, append(strings.Fields(line), "--data", "data")...)))
			}
			for _, end := range ends {
				o := end()
				assert.Zero(t, o.code, o.stderr)
			}
			var listed []struct{ Status string }
			require.NoError(t, json.Unmarshal([]byte(deedIn(t, dir, "ps", "-o", "json", "--data", "data").stdout), &listed))
			require.Len(t, listed, 2)
			assert.Equal(t, "completed", listed[0].Status)
			assert.Equal(t, "completed", listed[1].Status)
		})
	}
}

func TestAFullDiskIsNamedAndAfterwardsTheFolderIsGood(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{"def.yaml": copying, "x": "hello", "big": strings.Repeat("x", 8<<20)})
	disk := filepath.Join(dir, "disk")
	require.NoError(t, os.Mkdir(disk, 0o700))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, 0) })
	data := filepath.Join(disk, "data")

	o := deedIn(t, dir, "run", "def.yaml", "--in", "x=big", "--data", data)
	assert.Equal(t, exitFailed, o.code)
	assert.Contains(t, o.stderr, `import file "big"`)
	assert.Contains(t, o.stderr, "no space left on device")

	filler, err := os.Create(filepath.Join(disk, "filler"))
	require.NoError(t, err)
	_, err = filler.Write(bytes.Repeat([]byte("x"), 8<<20))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, filler.Close())
	o = deedIn(t, dir, "run", "def.yaml", "--in", "x=x", "--data", data, "--id", "p")
	assert.Equal(t, exitFailed, o.code)
	assert.Contains(t, o.stderr, "no space left on device")

	require.NoError(t, os.Remove(filler.Name()))
	o = deedIn(t, dir, "run", "def.yaml", "--in", "x=x", "--data", data, "--id", "p")
	assert.Zero(t, o.code, o.stderr)
	assert.Equal(t, "hello", o.stdout)
}

func TestAReadOnlyFolderIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{"def.yaml": copying, "x": "hello"})
	disk := filepath.Join(dir, "disk")
	require.NoError(t, os.Mkdir(disk, 0o700))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("a read-only disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, 0) })
	for _, line := range []string{"ps --data disk", "run def.yaml --in x=x --data disk"} {
		o := deedIn(t, dir, strings.Fields(line)...)
		assert.Equal(t, exitFailed, o.code, line)
		assert.Contains(t, o.stderr, `open folder "disk"`, line)
		assert.Contains(t, o.stderr, "read-only file system", line)
	}
}
