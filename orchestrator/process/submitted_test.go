package process

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

const traceOfSubmit = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func submitted() StartProcess {
	return StartProcess{
		ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(3)}, Trace: traceOfSubmit,
		Asked: Asked{By: "ada", Reason: "the nightly run"}, At: start,
	}
}

func TestWhoStartedAProcessAndItsTraceOutliveASnapshot(t *testing.T) {
	s := decideAll(t, State{}, submitted())
	data, err := EncodeSnapshot(s)
	require.NoError(t, err)
	back, err := DecodeSnapshot(data)
	require.NoError(t, err)
	require.Equal(t, Asked{By: "ada", Reason: "the nightly run"}, back.Submitted)
	require.Equal(t, traceOfSubmit, back.Trace)
	require.Contains(t, string(data), `"schema":2,`, "only people and their tools read it, so an older version may drop it")
}

func TestAnOlderVersionReadsAStartWithoutWhoAskedForIt(t *testing.T) {
	events, err := Decide(State{}, submitted())
	require.NoError(t, err)
	s, err := Encode(events[0])
	require.NoError(t, err)
	require.Equal(t, 1, s.Schema)
	var older struct { // as it was before: unknown fields are ignored
		ID         string                  `json:"id"`
		Definition definition.Definition   `json:"definition"`
		Hash       string                  `json:"hash"`
		Inputs     map[string]task.Dataset `json:"inputs,omitempty"`
		At         time.Time               `json:"at"`
	}
	require.NoError(t, json.Unmarshal(s.Data, &older))
	read := ProcessStarted{ID: older.ID, Definition: older.Definition, Hash: older.Hash, Inputs: older.Inputs, At: older.At}
	known := events[0].(ProcessStarted)
	known.Asked, known.Trace = Asked{}, ""
	require.Equal(t, digest(known), digest(read))
}

func TestAStartSaysWhoAskedForItInItsSentence(t *testing.T) {
	s := submitted()
	require.Equal(t, "process fan-out is started by ada with in of 3 parts under 3 keys: the nightly run", s.String())
	events, err := Decide(State{}, s)
	require.NoError(t, err)
	require.Equal(t, "process fan-out started by ada with in of 3 parts under 3 keys: the nightly run", events[0].String())
	asked, ok := AskedIn(events[0])
	require.True(t, ok)
	require.Equal(t, s.Asked, asked)
}

func TestATraceThatIsFarTooLongIsDroppedAndTheProcessStarts(t *testing.T) {
	c := submitted()
	c.Trace = strings.Repeat("0", maxTrace+1)
	s := decideAll(t, State{}, c)
	require.Equal(t, Running, s.Status)
	require.Empty(t, s.Trace)
}

func TestNoNewProcessHasTheIDOfAFolderOfTheBlobStore(t *testing.T) {
	for _, id := range []string{"archives", "inputs", "logs", "renewed", "sha256", "snapshots", "sweeping", "views"} {
		c := submitted()
		c.ID = id
		_, err := Decide(State{}, c)
		require.ErrorContains(t, err, "choose another ID", id)

		// One that an earlier version started goes on.
		events, err := Decide(State{}, submitted())
		require.NoError(t, err)
		old := events[0].(ProcessStarted)
		old.ID = id
		s := Fold(State{}, old)
		require.NoError(t, s.Damage())
		again, err := Decide(s, c)
		require.NoError(t, err)
		require.Empty(t, again)
	}
}

// The tasks that merge lists have addresses of their own. A step that had one
// would be taken for such a task.
func TestNoStepHasAnAddressOfDeedsOwn(t *testing.T) {
	c := submitted()
	c.Definition.Steps = append([]definition.Step(nil), c.Definition.Steps...)
	c.Definition.Steps[0].Address = SealPrefix + c.Definition.Steps[0].Out[0].Data
	_, err := Decide(State{}, c)
	require.ErrorContains(t, err, "is one of deed's own")

	s := Fold(State{}, ProcessStarted{ID: c.ID, Definition: c.Definition, Hash: c.Definition.Hash(), Inputs: c.Inputs, At: start})
	require.Error(t, s.Damage(), "one that was started stands still, and ends nobody")
	handle(s)
}
