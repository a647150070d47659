package orchestrator

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// BenchmarkLoadMillion loads a process of a million tasks, nearly all confirmed
// in reports of a hundred that each name a list of what was written, from its
// history and from a snapshot of it.
func BenchmarkLoadMillion(b *testing.B) {
	const tasks, report = 1_000_000, 100
	store := events.New(memevents.New())
	def := fanOut()
	data := task.Dataset{Count: tasks, Keys: 1, Manifest: &task.Manifest{Ref: task.Ref{Key: "list", Size: 1, SHA256: "00"}}}
	decided, err := process.Decide(process.State{}, process.StartProcess{ID: "p", Definition: def, Inputs: map[string]task.Dataset{"in": data}})
	require.NoError(b, err)
	state, last := process.State{}, ""
	put := func(id string, happened []process.Event) {
		commitTo(b, store, "p", state.Version, id, happened...)
		state, last = process.Fold(state, happened...), id
	}
	put("start", decided)
	for first := 0; first < tasks-report; first += report {
		list := &task.Ref{Key: fmt.Sprintf("p/work/0/%d/1-0123456789abcdef/report", first), Size: 10_000, SHA256: fmt.Sprintf("%064x", first)}
		put("c", []process.Event{process.TasksConfirmed{Address: "work", Attempt: 1, Tasks: task.Span(first, report), Manifest: list}})
	}
	blobs := newBlobs(b)
	snapshots := &Snapshots{Blobs: blobs, Log: slog.New(slog.DiscardHandler)}
	require.NoError(b, snapshots.Save(b.Context(), state, last))

	b.Run("from its history", func(b *testing.B) {
		for b.Loop() {
			s, err := Load(b.Context(), store, "p")
			require.NoError(b, err)
			require.Equal(b, tasks-report, s.Steps()[0].Confirmed)
		}
	})
	b.Run("from a snapshot", func(b *testing.B) {
		for b.Loop() {
			s, from, err := snapshots.Load(b.Context(), store, "p")
			require.NoError(b, err)
			require.Equal(b, state.Version, from)
			require.Equal(b, tasks-report, s.Steps()[0].Confirmed)
		}
	})
}
