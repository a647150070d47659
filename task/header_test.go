package task

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAMessageOfAHeaderReadsAsTheWorkDoes(t *testing.T) {
	w := cached()
	w.Inputs = []Input{{Local: "text", Mode: Element, Manifest: &Manifest{Ref: Ref{Key: "list"}}}}
	require.False(t, w.TaskLists())
	h, err := w.Header()
	require.NoError(t, err)
	for _, tasks := range []Ranges{Span(7, 1), Span(0, 1_000_000), Of(1, 2, 3, 9)} {
		w.Tasks = tasks
		var read Work
		require.NoError(t, json.Unmarshal(h.WithTasks(tasks), &read))
		require.Equal(t, w, read)

		whole, err := json.Marshal(w)
		require.NoError(t, err)
		for _, body := range [][]byte{whole, h.WithTasks(tasks)} {
			got, header, ok := SplitHeader(body)
			require.True(t, ok)
			require.Equal(t, tasks, got)
			require.Equal(t, h, header)
		}
	}
}

func TestAMessageThatIsWrittenOtherwiseHasNoHeader(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"process":"p","tasks":"1"}`, `{"tasks":"1`, `{"tasks":"b"}`, `{ "tasks":"1"}`} {
		_, _, ok := SplitHeader([]byte(body))
		require.False(t, ok, body)
	}
}

func TestWhatDiffersFromTaskToTaskIsNoHeader(t *testing.T) {
	w := cached()
	require.True(t, w.TaskLists(), "each task reads a list of its own")
	require.True(t, (&Work{Seal: &Seal{}}).TaskLists(), "each task merges something else")
	w.Inputs = w.Inputs[1:]
	require.False(t, w.TaskLists(), "all tasks read the same")
	w.Inputs[0].Keys = []string{"a"}
	require.True(t, w.TaskLists(), "each task has a key of a join")
}
