package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

func TestWhatIsFurthestOverItsTimeoutStandsFirst(t *testing.T) {
	second := task.Duration(time.Second)
	rows := runningRows([]orchestrator.RunningTask{
		{Process: "p", Address: "slow", Index: 1, Attempt: 1, Worker: "w", Elapsed: 90 * second},
		{Process: "p", Address: "count", Generation: 2, Index: 3, Attempt: 1, Worker: "w", Elapsed: 62 * second, Timeout: 60 * second},
		{Process: "p", Address: "count", Index: 4, Attempt: 1, Worker: "w", Elapsed: 70 * second, Timeout: 60 * second, Stale: true},
		{Process: "p", Address: "count", Index: 5, Attempt: 2, Worker: "w", Elapsed: 10 * second, Timeout: 60 * second},
	})
	require.Equal(t, [][]string{
		{"p", "count[4]", "1 (out of date)", "w", "1m10s", "1m", "10s"},
		{"p", "count~2[3]", "1", "w", "1m2s", "1m", "2s"},
		{"p", "slow[1]", "1", "w", "1m30s", "-", ""},
		{"p", "count[5]", "2", "w", "10s", "1m", ""},
	}, rows[1:])
}

func TestAViewThatIsNotCertainSaysSo(t *testing.T) {
	for certain, view := range map[bool]orchestrator.View{true: {Certain: true}, false: {}} {
		var out bytes.Buffer
		a := &app{stdout: &out, data: defaultData}
		require.NoError(t, a.printView(view, "p", false))
		require.Equal(t, !certain, bytes.Contains(out.Bytes(), []byte(notCertain)))
		require.Contains(t, out.String(), "nothing is running")
		require.Contains(t, out.String(), "no worker is there")
		require.Contains(t, out.String(), "p has ended")
	}
}
