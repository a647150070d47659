//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The stories of the bad*_test.go files: what hostile and unlucky people do to
// the real command, and what it tells them.

// ending is how a command ended.
type ending struct {
	stdout, stderr string
	code           int
	peak           int64 // MiB of memory it had at most
}

// deedIn runs the command in dir until its end.
func deedIn(t *testing.T, dir string, args ...string) ending {
	t.Helper()
	return finish(t, deedCommand(t, dir, args...))
}

func finish(t *testing.T, cmd *exec.Cmd) ending {
	t.Helper()
	return begin(t, cmd)()
}

// begin starts a command; what it returns waits for the end.
func begin(t *testing.T, cmd *exec.Cmd) func() ending {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Start())
	return func() ending {
		t.Helper()
		if err := cmd.Wait(); cmd.ProcessState == nil {
			require.NoError(t, err)
		}
		o := ending{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			o.peak = usage.Maxrss >> 10 // from KiB
		}
		return o
	}
}

// write puts files into a directory, made for them.
func write(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

// much is n, or a tenth of it where time is dear.
func much(n int) int {
	if raceDetector || testing.Short() {
		return n / 10
	}
	return n
}

// most is how many MiB of memory the command may take, whatever it is given. In its
// first second, garbage may take four times what is in use (memory.go).
var most = map[bool]int64{false: 400, true: 900}[raceDetector]

const copying = `deed: v1
name: copying
inputs: [x]
steps:
  copy: {sh: 'cp "$DEED_IN/x" "$DEED_OUT/y"', each: x, out: [y], retry: {attempts: 2, backoff: 1ms}}
outputs: [y]
`

func TestInputsThatAreNoFilesAreRefusedByNameAndNothingHangs(t *testing.T) {
	dir := write(t, t.TempDir(), map[string]string{"def.yaml": copying, "looped/a": "a", "piped/a": "a", "linked/a": "a", "bytes/a\xff": "a"})
	require.NoError(t, os.Symlink(".", filepath.Join(dir, "looped", "self")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "linked", "b")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "piped", "p"), 0o600))
	t.Chdir(dir) // the path of a socket is short
	socket, err := net.Listen("unix", "sock")
	require.NoError(t, err)
	defer socket.Close()

	for given, says := range map[string]string{
		"looped":  `"looped/self" leads back to a folder that it lies in; remove the link`,
		"linked":  `"linked/b" is a link to "nowhere", which does not exist`,
		"piped":   `"piped/p" is a named pipe; only files and folders can be imported`,
		"piped/p": `"piped/p" is a named pipe`,
		"sock":    `"sock" is a socket`,
		"bytes":   `the name of "bytes/a\xff" is not valid UTF-8; rename it`,
		"none*":   "nothing matches the pattern",
		"none":    "no such file",
	} {
		o := deedIn(t, dir, "run", "def.yaml", "--in", "x="+given)
		assert.Equal(t, exitUsage, o.code, given)
		assert.Contains(t, o.stderr, "deed: input x: ", given)
		assert.Contains(t, o.stderr, says, given)
	}
}

func TestAFileThatMayNotBeReadIsRefusedByName(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := write(t, t.TempDir(), map[string]string{"def.yaml": copying, "x": "a"})
	require.NoError(t, os.Chmod(filepath.Join(dir, "x"), 0))
	o := deedIn(t, dir, "run", "def.yaml", "--in", "x=x")
	assert.Equal(t, exitUsage, o.code)
	assert.Contains(t, o.stderr, `import file "x"`)
	assert.Contains(t, o.stderr, "permission denied")
}

func TestFilesOfAnyNameComeOutUnderANameOfTheirOwnAndInside(t *testing.T) {
	t.Parallel()
	names := []string{"a b", `q"uo'te`, "new\nline", "..x", "ünïcode", "-dash", "--flag", "star*", "\x1b[31mred", "~t", "$(x)", "back\\slash"}
	files := map[string]string{"def.yaml": copying}
	for _, name := range names {
		files["in/"+name] = name
		files["in/deep/"+name] = "deep/" + name
	}
	dir := write(t, t.TempDir(), files)
	o := deedIn(t, dir, "run", "def.yaml", "--in", "x=in", "--id", "names")
	require.Zero(t, o.code, o.stderr)
	found := map[string]bool{}
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "out", "names", "y"), func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			found[readFile(t, path)] = true
		}
		return err
	}))
	for _, name := range names {
		assert.True(t, found[name] && found["deep/"+name], "%q", name)
	}
	assert.Len(t, found, 2*len(names))
	assert.NotContains(t, o.stdout+o.stderr, "\x1b")
}

func TestAGigabyteIsReadInBoundedMemory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	size := much(1 << 30)
	dir := write(t, t.TempDir(), map[string]string{"def.yaml": `deed: v1
name: big
inputs: [corpus]
steps:
  words: {run: words/count, each: corpus, out: [partial]}
  size: {sh: 'wc -c < "$DEED_IN/corpus" > "$DEED_OUT/size"', each: corpus, out: [size]}
outputs: [partial, size]
`})
	big, err := os.Create(filepath.Join(dir, "big"))
	require.NoError(t, err)
	_, err = big.WriteAt([]byte("end"), int64(size)-3)
	require.NoError(t, errors.Join(err, big.Close()))

	o := deedIn(t, dir, "run", "def.yaml", "--in", "corpus=big", "--id", "big")
	require.Zero(t, o.code, o.stderr)
	assert.Equal(t, fmt.Sprintln(size), readFile(t, filepath.Join(dir, "out/big/size/big")))
	assert.Equal(t, "end\t1\n", readFile(t, filepath.Join(dir, "out/big/partial/e/big")))
	assert.Less(t, o.peak, most, "MiB")
	t.Logf("at most %d MiB of memory", o.peak)
}

func TestThousandsOfTinyFilesAreCountedInBoundedMemory(t *testing.T) {
	t.Parallel()
	files, count := map[string]string{}, much(5000)
	for i := range count {
		files[fmt.Sprintf("in/f%d", i)] = "word\n"
	}
	dir := write(t, t.TempDir(), files)
	definition, err := filepath.Abs("../../examples/wordcount/process.yaml")
	require.NoError(t, err)
	o := deedIn(t, dir, "run", definition, "--in", "corpus=in", "--id", "tiny")
	require.Zero(t, o.code, o.stderr)
	assert.Equal(t, fmt.Sprintf("word\t%d\n", count), readFile(t, filepath.Join(dir, "out/tiny/counts")))
	assert.Less(t, o.peak, most, "MiB")
}

func TestWhatIsPrintedAsJSONIsJSONAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{
		"def.yaml": copying, "x": "a", "bad.yaml": "deed: v2\n", "file": "",
		"failing.yaml": strings.Replace(copying, "cp ", "false ", 1),
	})
	for _, c := range []struct {
		code int
		line string
	}{
		{0, "ps --data ."},
		{0, "run def.yaml --in x=x --id a"},
		{0, "run def.yaml --in x=x --id a"},
		{1, "run def.yaml --in x=x --id a --out file"},
		{1, "run failing.yaml --in x=x --id b"},
		{0, "ps"},
		{0, "show a"},
		{0, "show b"},
		{0, "check def.yaml"},
		{2, "check bad.yaml"},
		{0, "graph def.yaml"},
		{0, "spec"},
		{0, "version"},
	} {
		o := deedIn(t, dir, append(strings.Fields(c.line), "-o", "json")...)
		assert.Equal(t, c.code, o.code, "%s: %s", c.line, o.stderr)
		assert.True(t, json.Valid([]byte(o.stdout)), "%s: %s", c.line, o.stdout)
		assert.NotContains(t, o.stdout, "null", c.line)
	}
	for line := range strings.Lines(deedIn(t, dir, "history", "a", "-o", "json").stdout) {
		assert.True(t, json.Valid([]byte(line)), line)
	}
}
