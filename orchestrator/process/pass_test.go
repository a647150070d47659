package process

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

func TestOfACommandThatFailsHalfwayNothingHasHappenedInAPass(t *testing.T) {
	def := fanOut(0)
	def.Inputs = append(def.Inputs, "two")
	def.Steps = append(def.Steps, definition.Step{
		Address: "next", Run: task.Run{Handler: "next"}, After: []string{"work"}, Each: &definition.Each{Binding: definition.Binding{Local: "two", Data: "two"}},
	})
	s := decideAll(t, State{}, StartProcess{
		ID: "p", Definition: def, Inputs: map[string]task.Dataset{"in": listOf(2), "two": listOf(2)}, At: start,
	})
	s.graph.def.Steps[1].Repeat = &definition.Repeat{} // which is no definition that could have started: its beginning makes no sense
	p := Begin(s)
	first := ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Of(0), At: start}
	events, _, err := p.Decide(first)
	require.NoError(t, err)
	after := Fold(s, events...)

	_, effects, err := p.Decide(ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Of(1), At: start})
	require.ErrorContains(t, err, "makes no sense")
	require.Empty(t, effects)
	require.Equal(t, digest(after), digest(p.State()))
	require.Equal(t, events, p.Happened())

	again, _, err := p.Decide(first)
	require.NoError(t, err)
	require.Empty(t, again)
}
