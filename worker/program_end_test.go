//go:build unix

package worker_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// pids makes a script write process IDs where the test can read them.
func pids(t *testing.T) (path string, read func(n int) []int) {
	path = filepath.Join(t.TempDir(), "pids")
	return path, func(n int) []int {
		t.Helper()
		var found []int
		require.Eventually(t, func() bool {
			text, _ := os.ReadFile(path)
			found = nil
			for _, line := range strings.Fields(string(text)) {
				pid, err := strconv.Atoi(line)
				require.NoError(t, err)
				found = append(found, pid)
			}
			return len(found) >= n && strings.HasSuffix(string(text), "\n")
		}, 20*time.Second, 5*time.Millisecond)
		return found
	}
}

// dead waits until none of the processes runs any more.
func dead(t *testing.T, pids []int) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, pid := range pids {
			if alive(pid) {
				return false
			}
		}
		return true
	}, 20*time.Second, 5*time.Millisecond, "still running: one of %v", pids)
}

// alive does not count zombies, which only wait for their parent.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func TestHowAProgramEnds(t *testing.T) {
	for name, test := range map[string]struct {
		script  string
		verdict task.Verdict
		says    string
	}{
		"another code than 0 is a failure with the last lines": {`echo doing >&2; echo "no such row" >&2; exit 3`, task.Retry, "script: exit code 3; the last lines of its standard error: doing\nno such row"},
		"without a word on standard error, standard output":    {`echo "out of luck"; exit 1`, task.Retry, "script: exit code 1; the last lines of its standard output: out of luck"},
		"65 is for good":                         {`exit 65`, task.Permanent, "script: exit code 65, which means that another attempt is pointless"},
		"75 asks for another attempt":            {`exit 75`, task.Retry, "script: exit code 75, which asks for another attempt later"},
		"killed by a signal is worth a try":      {`kill -9 $$`, task.Retry, "script: ended by signal: killed"},
		"an unset variable ends a script":        {`echo "$NO_SUCH"`, task.Retry, "NO_SUCH"},
		"a command that fails ends a script":     {`false; exit 0`, task.Retry, "script: exit code 1"},
		"a megabyte of bytes that are no text":   {`head -c 1000000 /dev/urandom >&2; exit 1`, task.Retry, "script: exit code 1; the last lines of its standard error: "},
		"a hundred megabytes on standard error":  {`yes 0123456789 | head -c 100000000 >&2; echo last >&2; exit 1`, task.Retry, "0last"},
		"the tail of one very long line is kept": {`head -c 200000 /dev/zero | tr '\0' x >&2; echo "the end" >&2; exit 1`, task.Retry, "the end"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.run()
			f := w.failure(job(task.Of(0), shell(test.script)))
			assert.Equal(t, test.verdict, f.Verdict)
			assert.Contains(t, f.Error, test.says)
			assert.Less(t, len(w.log.String()), 1<<20)
		})
	}

	t.Run("what it prints is the log, a thousand lines of it", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		w.result(job(task.Of(0), shell(`echo hello; seq 1100 >&2; printf 'no newline'`)))
		assert.Contains(t, w.log.String(), `msg="stdout: hello"`)
		assert.Contains(t, w.log.String(), `msg="stdout: no newline"`)
		assert.Contains(t, w.log.String(), `msg="stderr: 100 more lines were not logged"`)
	})

	t.Run("what it leaves running in its group is killed", func(t *testing.T) {
		w := newWorld(t)
		w.run()
		path, read := pids(t)
		got := w.result(job(task.Of(0), shell(`sleep 1000 & echo $! > `+path)))
		require.Equal(t, task.Done, got.Outcome)
		dead(t, read(1))
	})

	t.Run("a process that left the group and holds the pipes does not hold the task", func(t *testing.T) {
		if _, err := exec.LookPath("setsid"); err != nil {
			t.Skip("setsid is not installed here")
		}
		w := newWorld(t)
		w.run()
		path, read := pids(t)
		got := w.result(job(task.Of(0), shell(`setsid sh -c 'echo $$ > `+path+`; exec sleep 1000' & while ! test -s `+path+`; do :; done`)))
		require.Equal(t, task.Done, got.Outcome)
		for _, pid := range read(1) {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	})

	t.Run("a timeout ends it and its children, also if they do not listen", func(t *testing.T) {
		for _, script := range []string{`trap '' TERM; `, ``} {
			w := newWorld(t)
			w.run(func(o *worker.Options) { o.ProgramGrace = 100 * time.Millisecond })
			path, read := pids(t)
			f := w.failure(job(task.Of(0), timeout(500*time.Millisecond),
				shell(script+`echo busy >&2; sh -c 'sleep 1000 & echo $! >> `+path+`; wait' & echo $$ >> `+path+`; while :; do sleep 1; done`)))
			assert.Equal(t, task.TimedOut, f.Verdict)
			assert.Contains(t, f.Error, "ran longer than its timeout of 500ms: script was stopped; the last lines of its standard error: busy")
			dead(t, read(2))
		}
	})

	t.Run("a program that ends in good order on SIGTERM is given the time", func(t *testing.T) {
		w := newWorld(t)
		w.run(func(o *worker.Options) { o.ProgramGrace = time.Minute })
		path, read := pids(t)
		f := w.failure(job(task.Of(0), timeout(300*time.Millisecond),
			shell(`trap 'echo $$ > `+path+`; exit 0' TERM; while :; do sleep 0.05; done`)))
		assert.Equal(t, task.TimedOut, f.Verdict)
		dead(t, read(1))
	})

	t.Run("Close kills it at once", func(t *testing.T) {
		w := newWorld(t)
		path, read := pids(t)
		r := w.run(func(o *worker.Options) { o.ProgramGrace = time.Hour })
		w.send(job(task.Of(0), shell(`trap '' TERM; echo $$ > `+path+`; while :; do sleep 1; done`)))
		running := read(1)
		r.Close()
		<-r.ended
		require.NoError(t, r.err)
		dead(t, running)
		assert.Equal(t, task.Returned, w.results(1)[0].Outcome)
	})
}

// TestVictim is no test: it is the worker that the next one kills.
func TestVictim(t *testing.T) {
	path := os.Getenv("DEED_TEST_VICTIM")
	if path == "" {
		t.Skip("it runs in a process of its own, in the test below")
	}
	w := newWorld(t)
	w.run()
	left := ""
	if runtime.GOOS == "linux" { // elsewhere nothing is found that left its group
		left = `setsid sh -c 'echo $$ >> ` + path + `; sleep 1000' & `
	}
	w.send(job(task.Of(0), shell(left+`sh -c 'echo $$ >> `+path+`; sleep 1000 & echo $! >> `+path+`; wait' & echo $$ >> `+path+`; wait`)))
	w.results(1)
}

func TestAKilledWorkerLeavesNoProgramRunning(t *testing.T) {
	path, read := pids(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	victim := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestVictim$")
	victim.Env = append(os.Environ(), "DEED_TEST_VICTIM="+path, "TMPDIR="+t.TempDir())
	require.NoError(t, victim.Start())
	running := read(map[bool]int{true: 4, false: 3}[runtime.GOOS == "linux"])
	for _, pid := range running {
		require.True(t, alive(pid))
	}
	require.NoError(t, victim.Process.Kill())
	require.Error(t, victim.Wait())
	dead(t, running)
}
