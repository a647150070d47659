package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// attempted is an attempt at a task: "x/count[17]" and 2.
type attempted struct {
	task    string
	attempt int
}

// execution is one that the programs themselves wrote down, in a file beside
// the data.
type execution struct {
	attempted

	worker int // process ID
	ended  bool
}

// readLedger lists the executions of a process, in the order in which they began.
func readLedger(t *testing.T, dir, id string) []execution {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "ledger"))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	var all []execution
	for line := range strings.Lines(string(data)) {
		if !strings.HasSuffix(line, "\n") {
			break // it is just being written
		}
		var what string
		var e execution
		_, err := fmt.Sscanf(line, "%s %s %d %d\n", &what, &e.task, &e.attempt, &e.worker)
		require.NoError(t, err, "%q", line)
		if !strings.HasPrefix(e.task, id+"/") {
			continue
		}
		if what == "begin" {
			all = append(all, e)
			continue
		}
		for i := range all {
			if all[i] == e {
				all[i].ended = true
				break
			}
		}
	}
	return all
}

// recorded is what the history of a process says about its tasks.
type recorded struct {
	events    map[string]int          // by type
	last      string                  // type of the last event
	confirmed map[string]int          // how often, by task
	when      map[string]time.Time    // a task was confirmed
	by        map[string]attempted    // the attempt that was confirmed
	lost      map[attempted]time.Time // with its worker
	skipped   map[string]string       // the reason, by task
	failure   *process.ProcessFailed  // if it failed
}

// readHistory asks the command for the history of a process.
func readHistory(t *testing.T, dir, id string) recorded {
	t.Helper()
	var stderr bytes.Buffer
	cmd := deedCommand(t, dir, "history", id, "-o", "json")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", &stderr)
	r := recorded{
		events: map[string]int{}, confirmed: map[string]int{}, when: map[string]time.Time{},
		by: map[string]attempted{}, lost: map[attempted]time.Time{}, skipped: map[string]string{},
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var e struct {
			Type string
			Data json.RawMessage
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		r.last = e.Type
		r.events[e.Type]++
		var about struct {
			Address string
			Attempt int
			Tasks   task.Ranges
			Reason  string
			At      time.Time
		}
		switch e.Type {
		case "process-failed":
			r.failure = new(process.ProcessFailed)
			require.NoError(t, json.Unmarshal(e.Data, r.failure))
			continue
		case "tasks-confirmed", "tasks-lost", "tasks-skipped":
			require.NoError(t, json.Unmarshal(e.Data, &about))
		}
		for i := range about.Tasks.All() {
			name := fmt.Sprintf("%s/%s[%d]", id, about.Address, i)
			switch e.Type {
			case "tasks-confirmed":
				r.confirmed[name]++
				r.when[name] = about.At
				r.by[name] = attempted{name, about.Attempt}
			case "tasks-lost":
				r.lost[attempted{name, about.Attempt}] = about.At
			case "tasks-skipped":
				r.skipped[name] = about.Reason
			}
		}
	}
	require.NoError(t, lines.Err())
	return r
}

// requireConfirmedOnce sees that nothing was confirmed twice, and that as many
// tasks were confirmed as there are.
func (r recorded) requireConfirmedOnce(t *testing.T, tasks int) {
	t.Helper()
	require.Equal(t, "process-completed", r.last)
	require.GreaterOrEqual(t, len(r.confirmed), tasks) // lists are merged by tasks, too
	for name, n := range r.confirmed {
		require.Equal(t, 1, n, "%s was confirmed %d times", name, n)
	}
}
