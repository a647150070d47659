package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/autoscale"
	"github.com/deedrun/deed/orchestrator"
)

// keeper is deed autoscale with four workers of one slot, and what it says.
type keeper struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
	out spoken // decisions
	err spoken // what it and its workers print
}

// spoken is what a command has printed so far.
type spoken struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func keepFour(t *testing.T, dir string) *keeper {
	t.Helper()
	k := &keeper{t: t, dir: dir}
	k.cmd = deedCommand(t, dir, "autoscale", "--min", "4", "--max", "4", "--concurrency", "1", "--interval", "200ms", "-o", "json")
	k.cmd.Stdout, k.cmd.Stderr = &k.out, &k.err
	k.cmd.WaitDelay = time.Minute // its workers have its standard error for a moment longer, if it is killed
	require.NoError(t, k.cmd.Start())
	t.Cleanup(func() { _ = k.cmd.Process.Kill() })
	return k
}

// decided are the decisions so far.
func (k *keeper) decided() (all []decided) {
	for line := range strings.Lines(k.out.String()) {
		var d decided
		if json.Unmarshal([]byte(line), &d) == nil {
			all = append(all, d)
		}
	}
	return all
}

func (k *keeper) awaits(kind autoscale.Kind, about string) {
	k.t.Helper()
	require.Eventually(k.t, func() bool {
		return slices.ContainsFunc(k.decided(), func(d decided) bool { return d.Kind == kind && strings.Contains(d.Why, about) })
	}, time.Minute, 20*time.Millisecond, "it did not say %s of %q: %s", kind, about, &k.out)
}

// executing waits until n workers execute a task of a process at the same time,
// and returns their numbers.
func (k *keeper) executing(id string, n int) (pids []int) {
	k.t.Helper()
	require.Eventually(k.t, func() bool {
		pids = nil
		for _, e := range readLedger(k.t, k.dir, id) {
			if !e.ended && isAlive(e.worker) {
				pids = append(pids, e.worker)
			}
		}
		return len(pids) == n
	}, time.Minute, 20*time.Millisecond, "%s", &k.err)
	return pids
}

// isAlive reports whether a process is there and has not ended.
func isAlive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, ok := strings.Cut(string(stat), ") ")
	return ok && !strings.HasPrefix(state, "Z")
}

// S5 of the promises: four workers are declared, one is killed, and there are four again.
func TestFourDeclaredWorkersAreFourAgainAfterOneIsKilledAndNoneOutlivesWhoKeepsThem(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("it needs a /proc to see which processes are there")
	}
	t.Parallel()
	p := newPool(t, 0, 1)
	k := keepFour(t, p.dir)
	gate := filepath.Join(t.TempDir(), "gate")
	run, stderr := poolRun(t, p, "held.yaml", "x", "--in", "texts="+smallCorpus(t, 6), "--param", "gate="+gate)

	four := k.executing("x", 4)
	require.NoError(t, syscall.Kill(four[0], syscall.SIGKILL))
	k.awaits(autoscale.Replaced, fmt.Sprintf("worker %d died (signal: killed)", four[0]))
	again := k.executing("x", 4)
	require.NotContains(t, again, four[0])

	drained := four[1]
	require.NoError(t, syscall.Kill(drained, syscall.SIGTERM))
	require.Eventually(t, func() bool {
		return strings.Contains(k.err.String(), fmt.Sprintf("[%d] finishing what is being executed", drained))
	}, time.Minute, 20*time.Millisecond)
	require.NoError(t, os.WriteFile(gate, nil, 0o600))
	k.awaits(autoscale.Replaced, fmt.Sprintf("worker %d left by itself", drained))
	require.NoError(t, run.Wait(), "%s", stderr)
	history := readHistory(t, p.dir, "x")
	history.requireConfirmedOnce(t, 6)
	require.Len(t, history.lost, 1, "who was killed lost what it executed, who was drained nothing")

	gate = filepath.Join(t.TempDir(), "gate")
	run, stderr = poolRun(t, p, "held.yaml", "y", "--in", "texts="+smallCorpus(t, 4), "--param", "gate="+gate)
	four = k.executing("y", 4)
	require.NoError(t, k.cmd.Process.Kill())
	beside, err := deed.Open(t.Context(), deed.Options{Dir: filepath.Join(p.dir, ".deed"), Join: true, ReadOnly: true})
	require.NoError(t, err)
	defer beside.Close()
	require.Eventually(t, func() bool {
		v, err := beside.Look(t.Context(), "")
		return err == nil && len(v.Workers) == 4 && !slices.ContainsFunc(v.Workers, func(w orchestrator.WorkerView) bool { return !w.Draining })
	}, time.Minute, 50*time.Millisecond, "its workers leave with it")
	require.NoError(t, os.WriteFile(gate, nil, 0o600))
	require.NoError(t, run.Wait(), "%s", stderr)
	history = readHistory(t, p.dir, "y")
	history.requireConfirmedOnce(t, 4)
	require.Empty(t, history.lost, "in good order")
	require.Eventually(t, func() bool { return !slices.ContainsFunc(four, isAlive) }, time.Minute, 20*time.Millisecond)
}
