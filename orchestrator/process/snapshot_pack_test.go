package process

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

// written are sources of every kind.
func written() []task.Source {
	digest := strings.Repeat("0af9", 16)
	return []task.Source{
		{Report: &task.Ref{Key: "p/work/0/1/r", Size: 1 << 40, SHA256: digest}, Tasks: task.Of(0, 1, 2, 70_000)},
		{Report: &task.Ref{Key: "p/é", Size: -1, SHA256: strings.ToUpper(digest)}, Tasks: task.Span(3, 1)},
		{Tasks: task.Span(4, 2), Parts: []task.Produced{
			{Index: 4, Data: "out", Part: task.Part{Key: "k", Name: "n.txt", Ref: &task.Ref{Key: "b", SHA256: "short"}}},
			{Index: 5, Data: "out", Part: task.Part{Value: json.RawMessage(`{"a": 1}`)}},
			{},
		}},
		{Merged: &task.Manifest{Ref: task.Ref{Key: "m", Size: 9, SHA256: digest}, IndexOffset: 3, IndexSize: 2, IndexSHA256: digest}},
		{},
	}
}

func packed(t *testing.T, sources []task.Source) []byte {
	var p packer
	for _, s := range sources {
		require.NoError(t, p.source(s))
	}
	return p
}

func TestWhatTasksWroteIsUnpackedAsItWasPacked(t *testing.T) {
	u := &unpacker{rest: packed(t, written())}
	for _, want := range written() {
		require.Equal(t, want, u.source())
	}
	require.NoError(t, u.err)
	require.Empty(t, u.rest)
}

func TestAPackThatWasCutIsRefusedWhereverItWasCut(t *testing.T) {
	whole := packed(t, written())
	for length := range whole {
		u := &unpacker{rest: whole[:length:length]}
		for range written() {
			u.source()
		}
		require.Error(t, u.err, "%d of %d bytes", length, len(whole))
	}
}

func TestASnapshotIsRefusedWhoseListOfWhatTasksWroteIsLongerOrShorterThanItSays(t *testing.T) {
	s := decideAll(t, State{}, StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(6)}, At: start},
		ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Span(0, 1), At: start, Manifest: &task.Ref{Key: "r", Size: 1, SHA256: strings.Repeat("0", 64)}})
	good, err := EncodeSnapshot(s)
	require.NoError(t, err)
	require.Contains(t, string(good), `"gathered":1`)
	for says, bad := range map[string]string{
		"is cut off":             string(good[:len(good)-1]),
		"1 bytes follow":         string(good) + "x",
		"its list of what tasks": strings.Replace(string(good), `"gathered":1`, `"gathered":2`, 1),
	} {
		_, err := DecodeSnapshot([]byte(bad))
		require.ErrorContains(t, err, says)
	}
}
