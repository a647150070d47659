package worker

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestTwoExecutionsOfOneTaskStayTwoResultsSoThatThePartsOfOneCount(t *testing.T) {
	done := func(index int, key string) result {
		return result{Result: task.Result{
			Address: "a", Attempt: 1, Tasks: task.Of(index), Outcome: task.Done,
			Parts: []task.Produced{{Index: index, Data: "d", Part: task.Part{Ref: &task.Ref{Key: key}}}},
		}}
	}
	merged := merge([]result{done(0, "first"), done(1, "other"), done(0, "second")})
	require.Len(t, merged, 2)
	require.Equal(t, task.Of(0, 1), merged[0].Tasks)
	require.Len(t, merged[0].Parts, 2)
	require.Equal(t, task.Of(0), merged[1].Tasks)
	require.Equal(t, "second", merged[1].Parts[0].Ref.Key)
}
