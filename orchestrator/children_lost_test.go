package orchestrator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestALossOfAllTheTasksThereCanBeHoldsUpNoOwnerThatHasChildren(t *testing.T) {
	r := settled(t, aFamily(), 3)
	began := time.Now()
	r.report("p", task.Result{Address: "nowhere", Attempt: 1, Tasks: task.Span(0, task.MaxIndex+1), Outcome: task.Lost})
	r.step()
	require.Less(t, time.Since(began), time.Second)
	require.Len(t, r.owner.children.families["p"].born, 3)
}
