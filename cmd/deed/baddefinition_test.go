//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDefinitionsThatAreNoneAreRefusedWithThePlaceAndTheRemedy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wide []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + copying)) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	for name, c := range map[string]struct{ text, says string }{
		"empty":       {"", "empty:1:1: the definition is empty; begin with deed: v1"},
		"junk":        {"\x00\xff\x13junk\xfe", "junk:1:2: this is not a text file; a definition is UTF-8 text"},
		"utf16":       {string(wide), "utf16:1:1: this is not a text file; a definition is UTF-8 text"},
		"tabs":        {"deed: v1\nname: t\nsteps:\n\ta: {sh: x}\n", "tabs:4:2: not valid YAML: found character that cannot start any token; indent with spaces, not tabs"},
		"large":       {"#" + strings.Repeat("x", 5_000_000), "large:1:1: the definition is larger than 4 MiB; put scripts into files of their own"},
		"deep":        {strings.Repeat("[", 100_000), "deep:1:1: not valid YAML: exceeded max depth"},
		"laughs":      {laughs(), "laughs:1:1: the definition has more than 400000 values"},
		"nested":      {nested(), "groups are nested more than 16 deep; nest less"},
		"broken.json": {`{"deed": "v1", "name": "j", "steps": {`, "broken.json:1:"},
	} {
		write(t, dir, map[string]string{name: c.text})
		o := deedIn(t, dir, "check", name)
		assert.Equal(t, exitUsage, o.code, name)
		assert.Contains(t, o.stdout, c.says, name)
		assert.Empty(t, o.stderr, name)
		assert.Less(t, o.peak, most, "MiB for %s", name)
	}
	o := deedIn(t, dir, "check", ".")
	assert.Equal(t, exitUsage, o.code)
	assert.Contains(t, o.stderr, "is a directory")
}

// laughs is a small text that stands for 8 to the 8th steps.
func laughs() string {
	var b strings.Builder
	b.WriteString("deed: v1\nname: laughs\nsteps:\n  g0: &g0 {steps: {a: {sh: x}}}\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "  g%d: &g%d {steps: {", i, i)
		for _, name := range "abcdefgh" {
			fmt.Fprintf(&b, "%c: *g%d, ", name, i-1)
		}
		b.WriteString("}}\n")
	}
	return b.String()
}

func nested() string {
	text := "deed: v1\nname: nested\nsteps: "
	return text + strings.Repeat("{g: {steps: ", 100) + "{}" + strings.Repeat("}}", 100) + "\n"
}

func TestADefinitionMayBeJSONOrHaveTheMarksOfWindows(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{
		"def.json":  `{"deed":"v1","name":"j","inputs":["x"],"steps":{"a":{"sh":"cp $DEED_IN/x $DEED_OUT/y","each":"x","out":["y"]}},"outputs":["y"]}`,
		"crlf.yaml": "\ufeff" + strings.ReplaceAll(copying, "\n", "\r\n"),
		"x":         "hello",
	})
	for _, name := range []string{"def.json", "crlf.yaml"} {
		o := deedIn(t, dir, "run", name, "--in", "x=x")
		assert.Zero(t, o.code, o.stderr)
		assert.Equal(t, "hello", o.stdout)
	}
}

// chain is steps that each copy what the one before wrote.
func chain(steps int) string {
	var b strings.Builder
	b.WriteString("deed: v1\nname: chain\ninputs: [d0]\nsteps:\n")
	for i := range steps {
		fmt.Fprintf(&b, "  s%d: {run: [cp, \"../in/d%d\", \"../out/d%d\"], each: d%d, out: [d%d]}\n", i, i, i+1, i, i+1)
	}
	fmt.Fprintf(&b, "outputs: [d%d]\n", steps)
	return b.String()
}

func TestAChainOfManyStepsRunsToItsEnd(t *testing.T) {
	t.Parallel()
	steps := much(1000)
	dir := write(t, t.TempDir(), map[string]string{"chain.yaml": chain(steps), "x": "through all of them\n"})
	o := deedIn(t, dir, "run", "chain.yaml", "--in", "d0=x", "--id", "c")
	require.Zero(t, o.code, o.stderr)
	assert.Equal(t, "through all of them\n", o.stdout)
	assert.Contains(t, o.stderr, fmt.Sprintf("%d of %d steps done", steps, steps))
	assert.Less(t, o.peak, most, "MiB")
}

func TestTenThousandStepsAreCheckedDrawnAndBegunInBoundedMemory(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{"chain.yaml": chain(10_000), "x": "x"})
	o := deedIn(t, dir, "check", "chain.yaml")
	assert.Equal(t, "chain.yaml: ok: process chain, 10000 steps\n", o.stdout)
	assert.Less(t, o.peak, most, "MiB")
	o = deedIn(t, dir, "graph", "chain.yaml", "-o", "mermaid")
	assert.Zero(t, o.code, o.stderr)
	assert.Contains(t, o.stdout, "d10000")
	assert.Less(t, o.peak, most, "MiB")

	// Running them all would take minutes; that they run shows the first of them.
	cmd := deedCommand(t, dir, "run", "chain.yaml", "--in", "d0=x", "--id", "c")
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines, said := bufio.NewScanner(stderr), ""
	for lines.Scan() {
		said = lines.Text()
		if strings.HasPrefix(said, "c running: ") {
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
			break
		}
	}
	assert.Regexp(t, `^c running: \d+ of 10000 steps done; `, said)
	rest, err := io.ReadAll(stderr)
	require.NoError(t, err)
	assert.Error(t, cmd.Wait())
	assert.Contains(t, string(rest), "interrupted; what is done is kept. To resume:")
	usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	assert.Less(t, usage.Maxrss>>10, most, "MiB")
}

func TestWaitingForAPipeThatNobodyEndsIsEndedByOneSignal(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{"def.yaml": copying})
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))

	t.Run("a definition", func(t *testing.T) {
		cmd := deedCommand(t, dir, "check", "pipe")
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { // it opens for writing once somebody reads
			writer, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
			if err == nil {
				t.Cleanup(func() { _ = writer.Close() })
			}
			return err == nil
		}, time.Minute, time.Millisecond)
		endsBySignal(t, cmd)
	})

	t.Run("standard input", func(t *testing.T) {
		cmd := deedCommand(t, dir, "run", "def.yaml", "--in", "x=-", "--id", "p")
		stdin, err := cmd.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		_, err = stdin.Write(make([]byte, 1<<20)) // more than a pipe holds: it is being read
		require.NoError(t, err)
		endsBySignal(t, cmd)
	})
}

func endsBySignal(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	killed := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	_ = cmd.Wait()
	assert.True(t, killed.Stop(), "it did not end")
	assert.Equal(t, exitInterrupted, cmd.ProcessState.ExitCode())
}
