package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The stories of this file: the run executes nothing itself, workers of their
// own compete for its tasks, and die. What was executed is known from a ledger
// that the programs write themselves, what counted from the history.

// poolLease is what the runs of these tests are given. A worker that waits for
// a slow machine must not seem dead.
const poolLease = 2 * time.Second

// poolRun is a run beside a pool of workers.
func poolRun(t *testing.T, p *pool, definition, id string, more ...string) (run *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("testdata", "workers", definition))
	require.NoError(t, err)
	args := []string{"run", file, "--id", id, "--no-workers", "--param", "ledger=" + filepath.Join(p.dir, "ledger")}
	if !slices.Contains(more, "--lease") {
		args = append(args, "--lease", poolLease.String())
	}
	run, stderr = deedCommand(t, p.dir, append(args, more...)...), &bytes.Buffer{}
	run.Stderr = stderr
	require.NoError(t, run.Start())
	return run, stderr
}

func TestWorkersKilledAtRandomMomentsLoseNothingAndNothingCountsTwice(t *testing.T) {
	t.Parallel()
	const files = 24
	corpus := smallCorpus(t, files)
	want := countWords(t, corpus)
	p := newPool(t, 4, 2)
	kills, again, stalled := 0, 0, 0
	var waits []time.Duration
	for round := range *soak {
		random := rand.New(rand.NewPCG(uint64(round), 11))
		id := fmt.Sprintf("round-%d", round)
		run, stderr := poolRun(t, p, "count.yaml", id, "--in", "texts="+corpus)
		kills += killSome(t, p, id, random, 1+random.IntN(2), files)
		require.NoError(t, run.Wait(), "round %d: %s", round, stderr)

		require.Equal(t, want, readFile(t, filepath.Join(p.dir, "out", id, "counts")), "round %d", round)
		history := readHistory(t, p.dir, id)
		history.requireConfirmedOnce(t, files+1)
		executed := readLedger(t, p.dir, id)
		again += requireOnlyTheLostAgain(t, executed, history)
		for _, e := range executed {
			lost, was := history.lost[e.attempted]
			if !was {
				continue
			}
			if killed, ok := p.killedAt(e.worker); ok {
				waits = append(waits, lost.Sub(killed))
			} else {
				stalled++ // it stood still for longer than a lease, or was too slow to say that it did not
			}
		}
	}
	require.Positive(t, kills)
	require.NotEmpty(t, waits, "%d workers were killed, and none lost what it executed", kills)
	slices.Sort(waits)
	t.Logf("%d rounds, %d workers killed; %d executions were lost with them, %d with others; %d tasks were executed again, none counted twice",
		*soak, kills, len(waits), stalled, again)
	t.Logf("from the kill to the next attempt, with a lease of %s: min %s, median %s, max %s",
		poolLease, waits[0].Round(time.Millisecond), waits[len(waits)/2].Round(time.Millisecond), waits[len(waits)-1].Round(time.Millisecond))
	require.Less(t, waits[len(waits)-1], 3*poolLease)
}

// killSome kills workers that execute something, one after the other at random
// moments, and replaces them. It returns how many: the process may end before.
func killSome(t *testing.T, p *pool, id string, random *rand.Rand, n, tasks int) (kills int) {
	t.Helper()
	for range n {
		begun, victim, found := 1+random.IntN(tasks-2), 0, false
		require.Eventually(t, func() bool {
			if _, err := os.Stat(filepath.Join(p.dir, "out", id)); err == nil {
				return true
			}
			if len(readLedger(t, p.dir, id)) >= begun {
				victim, found = p.holding(id, random)
			}
			return found
		}, time.Minute, 5*time.Millisecond)
		if found {
			p.kill(victim)
			p.add()
			kills++
		}
	}
	return kills
}

// requireOnlyTheLostAgain sees that every task was executed, each attempt at it
// once, and another attempt only after the one before was lost with its worker.
func requireOnlyTheLostAgain(t *testing.T, executed []execution, history recorded) (again int) {
	t.Helper()
	seen, tasks := map[attempted]int{}, map[string]int{}
	for _, e := range executed {
		seen[e.attempted]++
		tasks[e.task]++
		require.Equal(t, 1, seen[e.attempted], "%s, attempt %d, was executed twice", e.task, e.attempt)
		for attempt := 1; attempt < e.attempt; attempt++ {
			require.Contains(t, history.lost, attempted{e.task, attempt}, "why was %s executed again?", e.task)
		}
	}
	for name, by := range history.by {
		require.Contains(t, seen, by, "%s was confirmed but never executed", name)
		if tasks[name] > 1 {
			again++
		}
	}
	return again
}

// countWords counts what the processes of this file count, in another way.
func countWords(t *testing.T, corpus string) string {
	t.Helper()
	word := regexp.MustCompile(`[A-Za-z]+`)
	files, err := filepath.Glob(filepath.Join(corpus, "*"))
	require.NoError(t, err)
	counts := map[string]int{}
	for _, file := range files {
		for _, w := range word.FindAllString(readFile(t, file), -1) {
			counts[strings.ToLower(w)]++
		}
	}
	lines := make([]string, 0, len(counts))
	for w, n := range counts {
		lines = append(lines, fmt.Sprintf("%s\t%d\n", w, n))
	}
	require.NotEmpty(t, lines)
	slices.Sort(lines)
	return strings.Join(lines, "")
}
