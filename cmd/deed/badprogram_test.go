//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scripted is a process of one step that runs a script, at most twice.
func scripted(settings, script string) string {
	return "deed: v1\nname: scripted\nsteps:\n  s:\n    out: [y]\n    retry: {attempts: 2, backoff: 1ms}\n" + settings +
		"    sh: |\n      " + strings.ReplaceAll(script, "\n", "\n      ") + "\noutputs: [y]\n"
}

func runScript(t *testing.T, settings, script string) (string, ending) {
	t.Helper()
	dir := write(t, t.TempDir(), map[string]string{"def.yaml": scripted(settings, script)})
	return dir, deedIn(t, dir, "run", "def.yaml", "--id", "p")
}

func TestProgramsThatMisbehaveFailWithWhatWentWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ script, says string }{
		"exit code 65 is not tried again": {`echo "bad data" >&2; exit 65`, "failed for good: script: exit code 65.*: bad data"},
		"exit code 75 is":                 {"echo busy; exit 75", "failed 2 times, the last time with: script: exit code 75, which asks for another attempt later; the last lines of its standard output: busy"},
		"killed":                          {"kill -9 $$", "failed 2 times, the last time with: script: ended by signal: killed"},
		"an output is missing":            {"true", `the program did not write "y": write the file \$DEED_OUT/y, or a directory`},
		"an output was not declared":      {`echo > "$DEED_OUT/y"; echo > "$DEED_OUT/zz"`, `"zz" is unknown: the step writes "y"`},
		"a FIFO as output":                {`mkfifo "$DEED_OUT/y"`, `"y" is a named pipe: only files and directories are collected`},
		"a FIFO deep inside":              {`mkdir -p "$DEED_OUT/y/a"; mkfifo "$DEED_OUT/y/a/b"`, `"y/a/b" is a named pipe`},
		"a link out of the directory":     {`ln -s /etc/passwd "$DEED_OUT/y"`, `"y" is a symbolic link`},
		"a name that is no text":          {`mkdir "$DEED_OUT/y"; echo > "$DEED_OUT/y/$(printf 'x\376')"`, `the name "x\\xfe" is not text`},
		"the outputs are removed":         {`rm -r "$DEED_OUT"`, "collect outputs: .*no such file or directory"},
		"everything is removed":           {`rm -r "$(dirname "$DEED_OUT")"`, "collect outputs: .*no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			_, o := runScript(t, "", c.script)
			assert.Equal(t, exitFailed, o.code)
			assert.Regexp(t, `deed: p: process failed at s\[0\], attempt \d+ on worker \S+: .*`+c.says, o.stderr)
			assert.NotContains(t, o.stderr, "level=", "nothing but the error")
		})
	}
}

func TestAFloodOfOutputNeedsNoMemoryAndSteersNoTerminal(t *testing.T) {
	t.Parallel()
	_, o := runScript(t, "", fmt.Sprintf(`head -c %[1]d /dev/zero | tr '\0' 'e'
yes | head -c %[1]d >&2
printf 'the last words \033[31m\007red' >&2
exit 3`, much(200_000_000)))
	assert.Equal(t, exitFailed, o.code)
	assert.Contains(t, o.stderr, "the last words  [31m red")
	assert.NotContains(t, o.stderr, "\x1b")
	assert.Less(t, len(o.stderr), 8<<10)
	assert.Less(t, o.peak, most, "MiB")

	_, o = runScript(t, "", `printf 'text \033[31mred' > "$DEED_OUT/y"`)
	assert.Zero(t, o.code, o.stderr)
	assert.Empty(t, o.stdout, "what would steer the terminal is not printed")
}

func TestAProgramThatNeverEndsIsKilledWithAllItStartedTriedAgainAndGivenUp(t *testing.T) {
	t.Parallel()
	marker := fmt.Sprintf("314159.%d", os.Getpid())
	_, o := runScript(t, "    timeout: 1s\n", `trap '' TERM
sleep `+marker+` &
(sleep `+marker+` &)
while :; do sleep `+marker+` || :; done`)
	assert.Equal(t, exitFailed, o.code)
	assert.Contains(t, o.stderr, "failed 2 times, the last time with: ran longer than its timeout of 1s")
	assert.Empty(t, running(t, marker))
}

func TestWhatAProgramLeavesRunningEndsWithIt(t *testing.T) {
	t.Parallel()
	marker := fmt.Sprintf("271828.%d", os.Getpid())
	_, o := runScript(t, "", `sleep `+marker+` &
sh -c 'sh -c "sleep `+marker+`; true" & sh -c "trap \"\" TERM; sleep `+marker+`; true" &'
echo done > "$DEED_OUT/y"`)
	assert.Zero(t, o.code, o.stderr)
	assert.Equal(t, "done\n", o.stdout)
	assert.Empty(t, running(t, marker))
}

// running are the command lines of processes that have the marker in them.
func running(t *testing.T, marker string) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, path := range paths {
		line, err := os.ReadFile(path)
		if err == nil && bytes.Contains(line, []byte(marker)) {
			found = append(found, string(line))
		}
	}
	return found
}

func TestTenThousandOutputsOfOneTaskAllArrive(t *testing.T) {
	t.Parallel()
	dir, o := runScript(t, "", `mkdir "$DEED_OUT/y"; cd "$DEED_OUT/y"; seq 10000 | split -l 1 -a 4 - f`)
	require.Zero(t, o.code, o.stderr)
	files, err := os.ReadDir(filepath.Join(dir, "out/p/y"))
	require.NoError(t, err)
	assert.Len(t, files, 10_000)
	assert.Less(t, o.peak, most, "MiB")
}

func TestKeysAndNamesOfAProgramStayInsideTheOutputs(t *testing.T) {
	t.Parallel()
	dir, o := runScript(t, "", `mkdir -p "$DEED_OUT/y/a/b/../c" "$DEED_OUT/y/..." "$DEED_OUT/y/ x" "$DEED_OUT/y/$(printf 'k\033[31m\001')"
for d in a/b a/c ... " x" "$(printf 'k\033[31m\001')"; do echo "$d" > "$DEED_OUT/y/$d/$(printf 'n\tl')"; done
echo > "$DEED_OUT/y/-rf"; echo > "$DEED_OUT/y/con"; echo > "$DEED_OUT/y/a:b"`)
	require.Zero(t, o.code, o.stderr)
	var found []string
	root := filepath.Join(dir, "out")
	require.NoError(t, filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = append(found, strings.TrimPrefix(path, root+"/p/y/"))
		}
		return err
	}))
	assert.ElementsMatch(t, []string{
		"a/b/n%09l", "a/c/n%09l", ".../n%09l", " x/n%09l", "k%1B[31m%01/n%09l", "-rf", "con", "a%3Ab",
	}, found)
}

func TestAPipeThatClosesEarlyEndsTheCommandWithoutAWord(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{"def.yaml": chain(200), "x": "x"})
	require.Zero(t, deedIn(t, dir, "run", "def.yaml", "--in", "d0=x", "--id", "p").code)
	for _, line := range []string{"history p", "show p", "history p -o json", "spec"} {
		cmd := deedCommand(t, dir, strings.Fields(line)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		closed, stdout, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, closed.Close())
		cmd.Stdout = stdout
		assert.Error(t, cmd.Run(), line) // SIGPIPE, as for every other program
		require.NoError(t, stdout.Close())
		assert.Empty(t, stderr.String(), line)
	}
}
