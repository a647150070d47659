package whole_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// What the process of a longHistory has to do: confirmed is done, open is not.
const (
	confirmedTasks = 1_000_000
	openTasks      = 100
)

// longHistory is what the core decided for a process of a million tasks, one
// report a commit, which is the most commits there can be.
type longHistory struct {
	commits []events.Commit
	state   process.State // after all of them
	// The latest snapshot is as old as it can be: one more event, and the next
	// one would have been taken.
	saved   process.State
	savedBy string // the ID of the commit before it
}

// snapshotsEvery is the distance of snapshots that an orchestrator keeps unless told otherwise.
const snapshotsEvery = 2000

// newLongHistory makes a process whose million tasks are confirmed in reports
// of a size, each with a list of what the tasks wrote, and which is restarted
// after that until it has run so often. The last tasks stay open.
func newLongHistory(b *testing.B, report, runs int) *longHistory {
	b.Helper()
	h := &longHistory{}
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	list := func(n string) definition.Binding { return definition.Binding{Local: n, Data: n} }
	step := definition.Step{
		Address: "work", Run: task.Run{Handler: "bench/noop"},
		Each: &definition.Each{Binding: list("in")}, Out: definition.Outputs(list("out")),
	}
	h.decide(b, process.StartProcess{
		ID: "million", At: at,
		Definition: definition.Definition{Name: "million", Inputs: []string{"in"}, Steps: []definition.Step{step}, Outputs: []string{"out"}},
		Inputs: map[string]task.Dataset{"in": {
			Count: confirmedTasks + openTasks, Keys: 1, Digest: strings.Repeat("0", 64),
			Manifest: &task.Manifest{Ref: task.Ref{Key: "inputs/list", Size: 1, SHA256: strings.Repeat("0", 64)}},
		}},
	})
	for run := range runs {
		if run > 0 {
			h.decide(b, process.RestartFrom{Address: "work", At: at, Asked: process.Asked{By: "ada", Command: fmt.Sprint("restart-", run)}})
		}
		reports := confirmedTasks / report
		for i := range reports {
			h.decide(b, process.ConfirmTasks{
				Address: "work", Generation: run, Tasks: task.Span(i*report, report), Attempt: 1, Worker: "worker-1", At: at,
				Manifest: &task.Ref{
					Key:  fmt.Sprintf("million/work/%d/%d/1-0123456789abcdef/report", run, i*report),
					Size: int64(report) * 100, SHA256: fmt.Sprintf("%064x", i),
				},
			})
			if run == runs-1 && i == reports-snapshotsEvery {
				h.saved, h.savedBy = h.state, h.commits[len(h.commits)-1].ID
			}
		}
	}
	require.NoError(b, h.state.Damage())
	require.Equal(b, confirmedTasks, h.state.Steps()[0].Confirmed)
	require.Equal(b, h.state.Version-snapshotsEvery+1, h.saved.Version)
	return h
}

// decide appends what a command leads to as a commit.
func (h *longHistory) decide(b *testing.B, c process.Command) {
	decided, err := process.Decide(h.state, c)
	require.NoError(b, err)
	commit := events.Commit{ID: fmt.Sprint("commit-", len(h.commits)), First: h.state.Version, Events: encoded(b, decided...)}
	require.NotEmpty(b, commit.Events)
	h.commits = append(h.commits, commit)
	h.state = process.Fold(h.state, decided...)
}

func encoded(b *testing.B, list ...process.Event) []events.Record {
	var records []events.Record
	for _, e := range list {
		stored, err := process.Encode(e)
		require.NoError(b, err)
		records = append(records, events.Record{Type: stored.Type, Schema: stored.Schema, Data: stored.Data})
	}
	return records
}

// store writes the history into a store of events, and its snapshot into one of blobs.
func (h *longHistory) store(ctx context.Context, b *testing.B, to *events.Store, blobs string) {
	b.Helper()
	for _, c := range h.commits {
		_, err := to.Append(ctx, "process-million", events.Exactly(c.First), c.ID, c.Events...)
		require.NoError(b, err)
	}
	kept, err := blob.Open(ctx, blobs)
	require.NoError(b, err)
	defer kept.Close()
	require.NoError(b, (&orchestrator.Snapshots{Blobs: kept}).Save(ctx, h.saved, h.savedBy))
}
