package orchestrator

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
)

func TestTheListCountsWhatTheStateSaysAfterEveryEventOfEveryRecordedHistory(t *testing.T) {
	files, err := filepath.Glob("process/testdata/histories/*.jsonl")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var s process.State
			p := newListed(Summary{})
			for line := range bytes.Lines(data) {
				var e struct {
					Type   string          `json:"type"`
					Schema int             `json:"schema"`
					Data   json.RawMessage `json:"data"`
				}
				require.NoError(t, json.Unmarshal(line, &e))
				event, err := process.Decode(process.Stored{Type: e.Type, Schema: e.Schema, Data: e.Data})
				require.NoError(t, err)
				s = process.Evolve(s, event)
				p.apply(event)
				want := Summary{}
				for _, step := range s.Steps() {
					want.Tasks += step.Tasks
					want.TasksDone += step.Confirmed
					want.Skipped += step.Skipped
					if step.Phase == "completed" {
						want.StepsDone++
					}
				}
				got := p.summary()
				require.Equal(t, want, Summary{Tasks: got.Tasks, TasksDone: got.TasksDone, Skipped: got.Skipped, StepsDone: got.StepsDone}, "after %s", event)
				require.Equal(t, s.Status, got.Status, "after %s", event)
			}
		})
	}
}
