package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The stories of this file: whatever is killed, whenever, the answer is the
// same, and each task is confirmed once. A ledger that the programs write
// themselves says what was executed, and how often.

var failpoints = []string{
	"orchestrator.after-append", "orchestrator.before-ack", "worker.before-report", "worker.after-report",
}

func TestARunThatIsKilledAgainAndAgainGivesTheAnswerOfAnUndisturbedOne(t *testing.T) {
	t.Parallel()
	corpus := smallCorpus(t, 24)
	undisturbed := t.TempDir()
	out, err := runKilled(t, undisturbed, corpus, "").CombinedOutput()
	require.NoError(t, err, "%s", out)
	want := readFile(t, filepath.Join(undisturbed, "out", "x", "counts"))
	require.NotEmpty(t, want)
	tasks := executions(t, undisturbed)
	require.Len(t, tasks, 24+3+1)

	var kills, twice atomic.Int64
	t.Run("killed", func(t *testing.T) {
		for round := range *soak {
			t.Run(fmt.Sprintf("round %d", round), func(t *testing.T) {
				t.Parallel()
				random := rand.New(rand.NewPCG(uint64(round), 7))
				dir := t.TempDir()
				killed := killUntilDone(t, random, dir, corpus)
				kills.Add(int64(killed))
				require.Equal(t, want, readFile(t, filepath.Join(dir, "out", "x", "counts")))
				left, err := os.ReadDir(filepath.Join(dir, ".deed", "tmp"))
				require.NoError(t, err)
				require.Empty(t, left, "killed workers' directories are swept")
				confirmedOnce(t, dir)
				executed := executions(t, dir)
				for name := range tasks {
					require.NotZero(t, executed[name], "%s was confirmed but never executed", name)
					if executed[name] > 1 {
						twice.Add(1)
					}
				}
				require.Len(t, executed, len(tasks))
			})
		}
	})
	require.GreaterOrEqual(t, kills.Load(), int64(*soak))
	t.Logf("%d rounds, %d kills: %d of %d tasks were executed more than once, none confirmed twice", *soak, kills.Load(), twice.Load(), *soak*len(tasks))
}

// killUntilDone starts the run again until it ends by itself. Up to four
// times it is killed: at a failpoint, or from outside at a random moment after
// its first confirmation.
func killUntilDone(t *testing.T, random *rand.Rand, dir, corpus string) (kills int) {
	t.Helper()
	for attempt := 0; ; attempt++ {
		require.Less(t, attempt, 40, "the process does not come to its end")
		failpoint := ""
		if attempt < 4 {
			failpoint = fmt.Sprintf("%s:%d", failpoints[random.IntN(len(failpoints))], 1+random.IntN(8))
			if random.IntN(3) == 0 {
				failpoint = "from outside"
			}
		}
		var stderr bytes.Buffer
		cmd := runKilled(t, dir, corpus, failpoint)
		cmd.Stderr = &stderr
		require.NoError(t, cmd.Start())
		if failpoint == "from outside" {
			killAfterConfirmation(t, cmd, dir, random)
		}
		err := cmd.Wait()
		if err == nil {
			return kills
		}
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		require.True(t, status.Signaled() && status.Signal() == syscall.SIGKILL, "%v: %s", err, stderr.String())
		kills++
	}
}

// killAfterConfirmation waits until the ledger says that something was
// executed, then a little longer, and kills.
func killAfterConfirmation(t *testing.T, cmd *exec.Cmd, dir string, random *rand.Rand) {
	t.Helper()
	before := len(executions(t, dir))
	require.Eventually(t, func() bool {
		return len(executions(t, dir)) > before || cmd.Process.Signal(syscall.Signal(0)) != nil || ended(dir)
	}, time.Minute, time.Millisecond)
	moment := time.NewTimer(time.Duration(random.IntN(300)) * time.Millisecond)
	defer moment.Stop()
	<-moment.C
	_ = cmd.Process.Kill()
}

func ended(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "out", "x", "counts"))
	return err == nil
}

func runKilled(t *testing.T, dir, corpus, failpoint string, more ...string) *exec.Cmd {
	t.Helper()
	definition, err := filepath.Abs("testdata/kill.yaml")
	require.NoError(t, err)
	args := []string{"run", definition, "--id", "x", "--in", "corpus=" + corpus, "--param", "ledger=" + filepath.Join(dir, "ledger"), "--workers", "3"}
	cmd := deedCommand(t, dir, append(args, more...)...)
	cmd.Env = append(cmd.Env, "DEED_FAILPOINT="+failpoint)
	return cmd
}

func TestAWorkerThatIsKilledLosesNothingAndItsTasksAreDoneByOthersAfterItsLease(t *testing.T) {
	t.Parallel()
	corpus, dir := smallCorpus(t, 24), t.TempDir()
	run := runKilled(t, dir, corpus, "", "--param", "pause=0.4", "--workers", "1", "--lease", poolLease.String())
	var stderr bytes.Buffer
	run.Stderr = &stderr
	require.NoError(t, run.Start())
	worker := deedCommand(t, dir, "worker", "--concurrency", "3")
	worker.Env = append(worker.Env, "DEED_FAILPOINT=worker.before-report:2")
	require.NoError(t, worker.Start())
	require.ErrorContains(t, worker.Wait(), "signal: killed")
	require.NoError(t, run.Wait(), "%s", &stderr)
	require.NotEmpty(t, readFile(t, filepath.Join(dir, "out", "x", "counts")))
	require.NotZero(t, confirmedOnce(t, dir)["tasks-lost"], "what it held was handed to another worker, who said so")
}

// confirmedOnce reads the history of the killed process, sees that each task is
// confirmed once, and counts the events by type.
func confirmedOnce(t *testing.T, dir string) map[string]int {
	t.Helper()
	history := readHistory(t, dir, "x")
	history.requireConfirmedOnce(t, 24+3+1)
	return history.events
}

// executions counts the lines of the ledger by task.
func executions(t *testing.T, dir string) map[string]int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "ledger"))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	counts := map[string]int{}
	for line := range strings.Lines(string(data)) {
		if name, _, ok := strings.Cut(line, " attempt "); ok {
			counts[name]++
		}
	}
	return counts
}

// smallCorpus is the beginnings of some files of the example's corpus.
func smallCorpus(t *testing.T, files int) string {
	t.Helper()
	paths, err := filepath.Glob("../../examples/wordcount/corpus/*.txt")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(paths), files)
	dir := t.TempDir()
	for _, path := range paths[:files] {
		text := readFile(t, path)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(path)), []byte(text[:min(len(text), 20_000)]), 0o600))
	}
	return dir
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}
