package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator"
)

// previous is a test binary of an earlier version of this package, to be
// upgraded from. Without one, this version takes its own place.
const previous = "DEED_TEST_PREVIOUS"

func TestARollingUpgradeInMidProcessLosesNothingAndStallsItForLessThanALease(t *testing.T) {
	t.Parallel()
	const tasks, lease = 2000, 10 * time.Second
	m := oneMachine(t)
	before := os.Getenv(previous)
	if before == "" {
		t.Logf("%s is not set: the same version takes its own place", previous)
	}
	// What a supervisor would do: one after the other leaves in good order, and
	// the new version takes its place.
	serve := []string{"serve", "--listen", "127.0.0.1:0", "--lease", lease.String()}
	work := []string{"worker", "--concurrency", "4"}
	for _, name := range []string{"serve1", "serve2"} {
		m.start(name, before, serve...)
	}
	for _, name := range []string{"worker1", "worker2", "worker3"} {
		m.start(name, before, work...)
	}
	ledger := filepath.Join(m.dir, "ledger")
	job, want := squaresJob(tasks, ledger)
	client := m.client()
	require.NoError(t, client.Submit(t.Context(), "x", job))
	self, err := os.Executable()
	require.NoError(t, err)
	for i, r := range m.roles {
		awaitLedger(t, ledger, (i+1)*tasks/(len(m.roles)+2))
		r.leave(t)
		r.self = self
		require.NoError(t, r.again(t.Context()))
	}
	result, err := client.Wait(t.Context(), "x", nil)
	require.NoError(t, err)
	var total int
	require.NoError(t, result.Value(t.Context(), "total", &total))
	require.Equal(t, want, total)
	confirmed, stall, at := confirmations(t, client, "x")
	require.Equal(t, tasks, confirmed["square"])
	require.Less(t, stall, lease, "nothing was confirmed until %s", at.Format(time.TimeOnly))
	again := 0
	for _, times := range readNumbers(t, ledger) {
		again += times - 1
	}
	for e, err := range orchestrator.History(t.Context(), client.Archive, "x") {
		require.NoError(t, err)
		require.NotContains(t, []string{"tasks-lost", "tasks-failed"}, e.Type, "who leaves in good order loses nothing")
	}
	t.Logf("%d tasks, each confirmed once at its first attempt, %d executed again; the longest time without a confirmation was %s", tasks, again, stall.Round(time.Millisecond))
}
