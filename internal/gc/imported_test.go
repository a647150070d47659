package gc_test

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/gc"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// An archive is imported while garbage is collected. The list of its inputs is
// there already, old and not referred to by anybody.
func TestTheListOfInputsOfAnArchiveThatIsImportedStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := func() *deed.Runtime {
			r, err := deed.Open(t.Context(), deed.Options{})
			require.NoError(t, err)
			t.Cleanup(r.Close)
			return r
		}
		from, to := open(), open()
		var parts []task.Part
		for i := range 5000 {
			parts = append(parts, task.Part{Name: strconv.Itoa(i), Value: json.RawMessage("1")})
		}
		given, err := from.Blobs.Dataset(t.Context(), "inputs", parts)
		require.NoError(t, err)
		require.NotNil(t, given.Manifest)
		kind, _ := blob.Classify(given.Manifest.Key)
		require.Equal(t, blob.KindInput, kind)
		file := cancelledAndArchived(t, from, given)

		submit(t, to, "other")
		_, err = to.Blobs.Dataset(t.Context(), "inputs", parts)
		require.NoError(t, err)
		time.Sleep(3 * blob.RenewedFor)
		imported := false
		collectGarbage(t, to, gc.Options{Delete: true, Grace: time.Minute, Pause: func(point gc.Point) {
			if point == gc.BeforeRemove && !imported {
				imported = true
				_, _, err := to.Archive.Import(t.Context(), bytes.NewReader(file), process.Asked{By: "ada"}, time.Now())
				require.NoError(t, err)
			}
		}})
		require.True(t, imported)
		_, err = to.Blobs.ReadAll(t.Context(), given.Manifest.Ref, 1<<20)
		require.NoError(t, err)
	})
}

// cancelledAndArchived is the file of a process that was given something.
func cancelledAndArchived(t *testing.T, r *deed.Runtime, given task.Dataset) []byte {
	t.Helper()
	def := definition.Definition{Name: "counting", Inputs: []string{"in"}, Steps: []definition.Step{{
		Address: "count", Run: task.Run{Handler: "count"}, In: []definition.Binding{{Local: "in", Data: "in"}},
	}}}
	started, err := process.Decide(process.State{}, process.StartProcess{ID: "p", Definition: def, Inputs: map[string]task.Dataset{"in": given}, At: time.Now()})
	require.NoError(t, err)
	cancelled, err := process.Decide(process.Fold(process.State{}, started...), process.CancelProcess{At: time.Now()})
	require.NoError(t, err)
	var records []events.Record
	for _, e := range append(started, cancelled...) {
		stored, err := process.Encode(e)
		require.NoError(t, err)
		records = append(records, events.Record{Type: stored.Type, Schema: stored.Schema, Data: stored.Data})
	}
	_, err = r.Events.Append(t.Context(), "process-p", events.NoStream(), "commit", records...)
	require.NoError(t, err)
	archived, _, err := r.Archive.Put(t.Context(), "p", process.Asked{By: "ada"}, time.Now())
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, r.Archive.Export(t.Context(), archived, &file))
	return file.Bytes()
}
