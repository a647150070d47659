package process

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestTheReasonOfAFailedProcessIsBoundedHoweverLongTheErrorOfATaskIs(t *testing.T) {
	s := decideAll(t, State{}, StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(2)}, At: start})
	s = decideAll(t, s, FailTasks{
		Address: "work", Attempt: 1, Tasks: task.Of(1), Error: strings.Repeat("no ", 1<<20), Verdict: task.Permanent, At: start.Add(time.Second),
	})
	require.Equal(t, Failed, s.Status)
	require.Less(t, len(s.Failure.Reason), 2*task.MaxError)
}
