package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
)

func TestATaskThatKillsEveryWorkerSpendsItsLossesAndLeavesThePoolStanding(t *testing.T) {
	t.Parallel()
	const texts = 12
	for name, c := range map[string]struct {
		more []string
		ends func(t *testing.T, run error, stderr string, history recorded)
	}{
		"the process ends with the reason": {
			ends: func(t *testing.T, run error, stderr string, history recorded) {
				require.ErrorContains(t, run, "exit status 1", "%s", stderr)
				require.Equal(t, "process-failed", history.last)
				require.Equal(t, "copy", history.failure.Address)
				require.Equal(t, texts/2, history.failure.Index)
				require.Equal(t, process.LossBudget+1, history.failure.Attempt)
				require.Contains(t, history.failure.Reason, "lost")
				require.Contains(t, stderr, history.failure.Reason)
			},
		},
		"a step that tolerates it goes on without": {
			more: []string{"--set", "copy.tolerate=1"},
			ends: func(t *testing.T, run error, stderr string, history recorded) {
				require.NoError(t, run, "%s", stderr)
				history.requireConfirmedOnce(t, texts-1+1)
				require.Len(t, history.skipped, 1)
				require.Contains(t, history.skipped[fmt.Sprintf("x/copy[%d]", texts/2)], "lost")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			corpus, _ := poisoned(t, texts, texts/2)
			p := newPool(t, 3, 2)
			p.mend()
			run, stderr := poolRun(t, p, "poison.yaml", "x", append(c.more, "--in", "texts="+corpus, "--lease", "1s")...)
			err := run.Wait()
			history := readHistory(t, p.dir, "x")
			c.ends(t, err, stderr.String(), history)

			for i := range texts {
				name := fmt.Sprintf("x/copy[%d]", i)
				require.Equal(t, i != texts/2, history.confirmed[name] == 1, "%s: poison kills itself, nothing else", name)
			}
			touched := 0
			for _, e := range readLedger(t, p.dir, "x") {
				if e.task == fmt.Sprintf("x/copy[%d]", texts/2) {
					touched++
				}
			}
			require.Equal(t, touched, p.deaths(), "each worker that touched it died, and no other")
			require.LessOrEqual(t, p.deaths(), process.LossBudget+1)

			corpus, all := poisoned(t, texts, -1)
			run, stderr = poolRun(t, p, "poison.yaml", "after", "--in", "texts="+corpus)
			require.NoError(t, run.Wait(), "%s", stderr)
			require.Equal(t, strings.Join(all, ""), readFile(t, filepath.Join(p.dir, "out", "after", "kept")))
			require.Len(t, p.alive(), 3)
		})
	}
}

// poisoned is a folder of texts, one of which kills workers, and the texts.
func poisoned(t *testing.T, n, poison int) (dir string, all []string) {
	t.Helper()
	dir = t.TempDir()
	for i := range n {
		text := fmt.Sprintf("text %02d\n", i)
		if i == poison {
			text = "poison\n"
		}
		all = append(all, text)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.txt", i)), []byte(text), 0o600))
	}
	return dir, all
}
