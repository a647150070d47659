package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
)

func TestAWorkerThatStoodStillForLongerThanItsLeaseChangesNothingWhenItWakesAndWorksOn(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 1)
	zombie := p.alive()[0]
	gates := t.TempDir()
	open := func(gate string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(gates, gate), nil, 0o600))
	}
	run, stderr := poolRun(t, p, "gated.yaml", "x", "--param", "gates="+gates)
	p.awaits(execution{attempted{"x/first[0]", 1}, zombie, false})

	p.signal(zombie, syscall.SIGSTOP)
	other := p.add()
	open("first-2")
	p.awaits(execution{attempted{"x/first[0]", 2}, other, true})
	p.awaits(execution{attempted{"x/second[0]", 1}, other, false})

	open("first-1") // its program goes on although it stands still itself
	p.awaits(execution{attempted{"x/first[0]", 1}, zombie, true})
	require.Zero(t, look(t, p.dir).Queues[0].Late)
	p.signal(zombie, syscall.SIGCONT)
	require.Eventually(t, func() bool { return look(t, p.dir).Queues[0].Late == 1 }, time.Minute, 50*time.Millisecond,
		"the late result was not dropped and counted")
	open("second")
	require.NoError(t, run.Wait(), "%s", stderr)

	require.Equal(t, "made by attempt 2\n", readFile(t, filepath.Join(p.dir, "out", "x", "kept")))
	history := readHistory(t, p.dir, "x")
	history.requireConfirmedOnce(t, 2)
	require.Equal(t, 2, history.by["x/first[0]"].attempt)
	require.Contains(t, history.lost, attempted{"x/first[0]", 1})
	require.Len(t, readLedger(t, p.dir, "x"), 3)

	p.leave(other)
	run, stderr = poolRun(t, p, "gated.yaml", "y", "--param", "gates="+gates)
	require.NoError(t, run.Wait(), "%s", stderr)
	for _, e := range readLedger(t, p.dir, "y") {
		require.Equal(t, zombie, e.worker, fmt.Sprint(e))
	}
}

// awaits waits until the ledger has an execution, begun or ended.
func (p *pool) awaits(want execution) {
	p.t.Helper()
	id, _, _ := strings.Cut(want.task, "/")
	require.Eventually(p.t, func() bool {
		for _, e := range readLedger(p.t, p.dir, id) {
			if e.attempted == want.attempted && e.worker == want.worker && (e.ended || !want.ended) {
				return true
			}
		}
		return false
	}, time.Minute, 10*time.Millisecond, "%+v", want)
}

// look is what the orchestrator of a folder sees.
func look(t *testing.T, dir string) orchestrator.View {
	t.Helper()
	r, err := deed.Open(t.Context(), deed.Options{Dir: filepath.Join(dir, ".deed"), Join: true, ReadOnly: true})
	require.NoError(t, err)
	defer r.Close()
	view, err := r.Look(t.Context(), "x")
	require.NoError(t, err)
	require.Len(t, view.Queues, 1)
	return view
}
