package process

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

func TestAJoinThatIsNotByKeyIsRefused(t *testing.T) {
	def := fanOut(0)
	def.Inputs = []string{"in", "other"}
	def.Steps[0].Each.With = []definition.Binding{{Local: "other", Data: "other"}}
	lists := map[string]task.Dataset{"in": task.Inline(nil), "other": listOf(1)}
	_, err := Decide(State{}, StartProcess{ID: "p", Definition: def, Inputs: lists, At: start})
	require.ErrorContains(t, err, `step "work" fans out over several names, but not by key`)
}

func TestADecisionEndsAtAnEventThatMakesNoSense(t *testing.T) {
	s := decideAll(t, State{}, StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(1)}, At: start})
	d := &decision{edits: edit(s), at: start}
	d.damage("it is damaged")
	d.own(0).phase = waiting
	d.advanceAll()
	require.Empty(t, d.events, "a step that cannot start would be started for ever")
}

func TestAStartThatMakesNoSenseFurtherOnIsRefused(t *testing.T) {
	d := &decision{edits: edit(State{})}
	d.follows = func(e Event) {
		if _, began := e.(StepStarted); began {
			d.damage("it is damaged")
		}
	}
	_, err := d.on(StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(1)}, At: start})
	var refused *RefusedError
	require.ErrorAs(t, err, &refused, "asking again is pointless")
	require.Equal(t, "p", refused.Process)
	require.ErrorContains(t, err, "it is damaged")
}
