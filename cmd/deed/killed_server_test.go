package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAServerThatIsKilledIsReplacedWhileItsWorkersKeepAndReportWhatTheyHold(t *testing.T) {
	t.Parallel()
	const files, kills = 18, 3
	corpus := smallCorpus(t, files)
	p := newPool(t, 3, 2)
	workers := p.alive()
	more := []string{"--in", "texts=" + corpus, "--param", "pause=1", "--lease", "10s"}
	run, _ := poolRun(t, p, "count.yaml", "x", more...)
	var killed []time.Time
	held := map[attempted]bool{}
	for kill := range kills {
		require.Eventually(t, func() bool {
			return len(readLedger(t, p.dir, "x")) > kill*files/kills
		}, time.Minute, 5*time.Millisecond)
		require.NoError(t, run.Process.Kill())
		require.Error(t, run.Wait())
		killed = append(killed, time.Now())
		for _, e := range readLedger(t, p.dir, "x") {
			if !e.ended {
				held[e.attempted] = true
			}
		}
		run, _ = poolRun(t, p, "count.yaml", "x", more...)
	}
	require.NoError(t, run.Wait())
	require.Equal(t, countWords(t, corpus), readFile(t, filepath.Join(p.dir, "out", "x", "counts")))
	history := readHistory(t, p.dir, "x")
	history.requireConfirmedOnce(t, files+1)

	began := map[string]int{}
	kept := 0
	for _, e := range readLedger(t, p.dir, "x") {
		began[e.task]++
	}
	for name, n := range began {
		if n == 1 && held[history.by[name]] {
			kept++
		}
		if n > 1 {
			require.True(t, history.when[name].After(killed[0]), "%s was executed again although it was confirmed", name)
		}
	}
	require.Positive(t, kept, "what workers held was executed again, all of it")
	require.Equal(t, workers, p.alive())
	t.Logf("%d kills of the server: of %d tasks that workers were executing, %d were reported to the next one and not executed again", kills, len(held), kept)
}
