package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
)

// The story of this file: a restart from a step runs that step and what is
// downstream of it, and nothing else; all other data is the same bytes in the
// same place. A ledger that the programs write themselves says what ran.

func TestARestartRunsWhatIsDownstreamAndKeepsTheRestAsItWas(t *testing.T) {
	t.Parallel()
	for name, downstream := range map[string]map[string][]string{
		"kill.yaml": { // the word count
			"count": {"count", "merge", "join"},
			"merge": {"merge", "join"},
			"join":  {"join"},
		},
		"diamond.yaml": {
			"split":       {"split", "sides/left", "sides/right", "join"},
			"sides":       {"sides/left", "sides/right", "join"},
			"sides/left":  {"sides/left", "join"},
			"sides/right": {"sides/right", "join"},
			"join":        {"join"},
			"aside":       {"aside"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newRestarted(t, name)
			for from, steps := range downstream {
				w.restart(from, steps)
			}
		})
	}
}

// restarted is a process that has completed once, in a directory of its own.
type restarted struct {
	*testing.T
	dir     string
	outputs map[string]string
}

func newRestarted(t *testing.T, name string) *restarted {
	definition, err := filepath.Abs(filepath.Join("testdata", name))
	require.NoError(t, err)
	w := &restarted{T: t, dir: t.TempDir()}
	w.deed("run", definition, "--id", "x", "--in", "corpus="+smallCorpus(t, 6), "--param", "ledger="+filepath.Join(w.dir, "ledger"))
	w.outputs = w.written()
	require.NotEmpty(t, w.outputs)
	return w
}

func (w *restarted) deed(args ...string) []byte {
	w.Helper()
	cmd := deedCommand(w.T, w.dir, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(w, err, "%v: %s", args, stderr.String())
	return out
}

// steps is how far each step is, and what it wrote, to the last digest.
func (w *restarted) steps() map[string]process.Progress {
	w.Helper()
	var shown struct{ Steps []process.Progress }
	require.NoError(w, json.Unmarshal(w.deed("show", "x", "-o", "json"), &shown))
	steps := map[string]process.Progress{}
	for _, s := range shown.Steps {
		steps[s.Address] = s
	}
	return steps
}

// ran counts, by step, the executions that the ledger has from a line on.
func (w *restarted) ran(from int) (byStep map[string]int, lines int) {
	w.Helper()
	all := strings.Split(strings.TrimSpace(readFile(w.T, filepath.Join(w.dir, "ledger"))), "\n")
	byStep = map[string]int{}
	for _, line := range all[from:] {
		address, _, _ := strings.Cut(strings.TrimPrefix(line, "x/"), "[")
		address, _, _ = strings.Cut(address, "~") // the generation
		byStep[address]++
	}
	return byStep, len(all)
}

// written is the content of the outputs, by path.
func (w *restarted) written() map[string]string {
	w.Helper()
	files := map[string]string{}
	root := filepath.Join(w.dir, "out", "x")
	require.NoError(w, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[strings.TrimPrefix(path, root)] = readFile(w.T, path)
		}
		return err
	}))
	return files
}

// restart restarts from an address: first dry, which must tell the truth.
func (w *restarted) restart(from string, downstream []string) {
	w.Helper()
	before := w.steps()
	_, lines := w.ran(0)
	var plan restartPlan
	require.NoError(w, json.Unmarshal(w.deed("restart", "x", "--from", from, "--dry-run", "-o", "json"), &plan))
	_, now := w.ran(0)
	require.Equal(w, lines, now, "a dry run runs nothing")
	require.Equal(w, before, w.steps(), "and changes nothing")
	require.NoError(w, os.RemoveAll(filepath.Join(w.dir, "out")))

	w.deed("restart", "x", "--from", from)
	after := w.steps()
	ran, _ := w.ran(lines)
	want := map[string]int{}
	for _, address := range downstream {
		want[address] = before[address].Tasks
		require.Equal(w, before[address].Generation+1, after[address].Generation, address)
	}
	require.Equal(w, want, ran, "restart from %s", from)
	require.Len(w, plan.Anew, len(downstream))
	for _, s := range plan.Anew {
		require.Contains(w, downstream, s.Address)
		if s.Then != nil {
			require.Equal(w, ran[s.Address], *s.Then, "as foretold: %s", s.Address)
		}
	}
	require.Len(w, plan.Kept, len(before)-len(downstream))
	for _, s := range plan.Kept {
		require.Equal(w, before[s.Address], after[s.Address], "the data of %s is untouched, digests and places", s.Address)
	}
	require.Equal(w, w.outputs, w.written(), "and the outputs are what they were")
}
