package process

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

// throughASnapshot is a state that went through its stored form.
func throughASnapshot(t require.TestingT, s State) State {
	data, err := EncodeSnapshot(s)
	require.NoError(t, err)
	read, err := DecodeSnapshot(data)
	require.NoError(t, err)
	require.Equal(t, digest(s), digest(read), "a snapshot is read as it was stored")
	again, err := EncodeSnapshot(read)
	require.NoError(t, err)
	require.Equal(t, string(data), string(again))
	return read
}

func TestEveryRecordedHistoryCanBeSnapshotAfterAnyEvent(t *testing.T) {
	for _, name := range recordedNames(t) {
		t.Run(name, func(t *testing.T) {
			var s State
			for _, e := range readHistory(t, name) {
				s = Evolve(s, e)
				throughASnapshot(t, s)
			}
		})
	}
}

func TestASnapshotThatDoesNotFitTogetherIsRefused(t *testing.T) {
	s := decideAll(t, State{}, StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(600)}, At: start},
		ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Span(3, 520), At: start})
	good, err := EncodeSnapshot(s)
	require.NoError(t, err)
	for name, c := range map[string]struct{ old, new, says string }{
		"of another schema":         {`"schema":2`, `"schema":1`, "its schema is 1"},
		"torn":                      {`"left":`, ``, "invalid character"},
		"of too few nodes":          {`"nodes":[`, `"nodes":[],"were":[`, "it has 0 nodes"},
		"with more scheduled":       {`"scheduled":600`, `"scheduled":601`, "make no sense"},
		"with a cut ledger":         {`"closed":"`, `"closed":"AAAA`, "do not fit"},
		"of a definition in a knot": {`"address":"work"`, `"address":""`, "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, string(good), c.old)
			_, err := DecodeSnapshot([]byte(strings.Replace(string(good), c.old, c.new, 1)))
			require.ErrorContains(t, err, c.says)
		})
	}
	_, err = EncodeSnapshot(State{})
	require.ErrorContains(t, err, "of no process")
}

func FuzzDecodeSnapshot(f *testing.F) {
	s := decideAll(f, State{}, StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(3)}, At: start},
		ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Span(0, 1), At: start, Parts: []task.Produced{{Data: "out", Part: task.Part{Value: json.RawMessage("1")}}}})
	good, err := EncodeSnapshot(s)
	require.NoError(f, err)
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := DecodeSnapshot(data)
		if err != nil {
			return
		}
		_ = Resume(s)
		_, _ = Decide(s, CancelProcess{At: start})
		if _, err := EncodeSnapshot(s); err != nil {
			line, _, _ := bytes.Cut(data, []byte("\n"))
			require.False(t, json.Valid(line), "what was read can be written: %v", err)
		}
	})
}
