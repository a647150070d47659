package whole_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/esdbtest"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestARuntimeDoesTheSameWhereverItsEventsAre(t *testing.T) {
	t.Parallel()
	double, err := esdbtest.Start(esdbtest.Options{})
	require.NoError(t, err)
	t.Cleanup(double.Stop)
	source := deed.MustParse(`
deed: v1
name: simple
inputs: [numbers]
steps:
  take: {run: take, each: numbers, out: [taken], tolerate: 1, retry: {attempts: 3, backoff: 10ms..20ms}}
  add:  {run: add, in: {numbers: taken}, out: {sum: total}}
outputs: [total]
`)
	var first []string
	for _, o := range []deed.Options{{}, {Dir: t.TempDir()}, {Dir: t.TempDir(), Events: double.URL()}} {
		o.Handlers, o.Workers, o.Log = takers(), 2, slog.New(slog.DiscardHandler)
		r, err := deed.Open(t.Context(), o)
		require.NoError(t, err)
		require.NoError(t, r.Submit(t.Context(), "good", deed.Job{Source: source, Inputs: map[string]deed.Input{"numbers": deed.Values(1, 1000, refused, 4)}}))
		require.NoError(t, r.Submit(t.Context(), "bad", deed.Job{
			Source: source, Settings: map[string]string{"take.tolerate": "0"}, Inputs: map[string]deed.Input{"numbers": deed.Values(refused)},
		}))
		result, err := r.Wait(t.Context(), "good", nil)
		require.NoError(t, err)
		text, err := result.Text(t.Context(), "total")
		require.NoError(t, err)
		require.Equal(t, "1005", text)
		_, err = r.Wait(t.Context(), "bad", nil)
		require.ErrorIs(t, err, deed.ErrFailed)

		happened := slices.Concat(whatHappened(t, r, "good"), whatHappened(t, r, "bad"))
		if first == nil {
			first = happened
		}
		require.Equal(t, first, happened, "with events in %q", o.Events)
		r.Close()
	}
}

// whatHappened is a history without what differs between two runs of the same:
// times, workers, the keys of blobs, what came together and in which order.
func whatHappened(t *testing.T, r *deed.Runtime, id string) []string {
	t.Helper()
	var all []string
	for e, err := range orchestrator.History(t.Context(), r.Events, id) {
		require.NoError(t, err)
		var fields map[string]any
		require.NoError(t, json.Unmarshal(e.Data, &fields))
		strip(fields)
		tasks := task.Ranges{}
		if text, ok := fields["tasks"].(string); ok {
			delete(fields, "tasks")
			require.NoError(t, json.Unmarshal(must(json.Marshal(text)), &tasks))
		}
		event, err := process.Decode(process.Stored{Type: e.Type, Schema: e.Schema, Data: e.Data})
		require.NoError(t, err)
		if confirmed, ok := event.(process.TasksConfirmed); ok {
			for _, part := range confirmed.Parts {
				all = append(all, fmt.Sprintf("%s %s: %s, %d bytes", id, confirmed.Address, part.Data, part.Size()))
			}
		}
		if tasks.Len() == 0 {
			all = append(all, fmt.Sprint(id, " ", e.Type, " ", fields))
		}
		for i := range tasks.All() {
			all = append(all, fmt.Sprint(id, " ", e.Type, " ", i, " ", fields))
		}
	}
	require.NotEmpty(t, all)
	slices.Sort(all)
	return all
}

// strip takes out, at any depth, what differs between two runs of the same.
func strip(value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range []string{"at", "worker", "elapsed", "due", "parts"} {
			delete(value, name)
		}
		for _, inner := range value {
			strip(inner)
		}
	case []any:
		for _, inner := range value {
			strip(inner)
		}
	}
}
