package process

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

func TestWhatATaskIsAboutIsNamedByItsWorkerWhereTheCoreDoesNotKnow(t *testing.T) {
	def := fanOut(0)
	def.Steps[0].Tolerate = definition.Tolerance{Count: 1}
	s := decideAll(t, State{}, StartProcess{ID: "p", Definition: def, Inputs: map[string]task.Dataset{"in": manifestOf(9)}, At: start})
	fail := func(index int, element string) FailTasks {
		return FailTasks{Address: "work", Attempt: 1, Tasks: task.Of(index), Error: "no photo", Verdict: task.Permanent, Element: element, Worker: "w", At: start}
	}
	s = decideAll(t, s, fail(3, "summer/beach.jpg"))
	require.Equal(t, "summer/beach.jpg", s.Steps()[0].Skips[0].Element)
	require.Equal(t, "summer/beach.jpg", s.Element("work", 3))
	require.Empty(t, s.Element("work", 4))
	s = decideAll(t, s, fail(5, "winter/snow.jpg"))
	require.Equal(t, Failed, s.Status)
	require.Contains(t, s.Reason(), "process failed at work[5] (winter/snow.jpg), attempt 1 on worker w:")
}
