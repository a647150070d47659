package specs_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/specs/aggregate"
	"github.com/deedrun/deed/task"
)

var resize = definition.Definition{
	Name: "resize", Inputs: []string{"photos"},
	Steps: []definition.Step{{
		Address: "shrink", Run: task.Run{Handler: "photos/shrink"},
		Each: &definition.Each{Binding: definition.Binding{Local: "photos", Data: "photos"}},
	}},
}

func given() []process.Event {
	return Events(Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2)))
}

func TestASpecThatHoldsPassesAndReadsAsProse(t *testing.T) {
	s := Spec{Name: "one of two", Given: given(), When: Confirm("shrink", Only(1)), Then: Events(Confirmed("shrink", Only(1)))}
	require.NoError(t, s.Check())
	require.Equal(t, `One of two
Given process resize started with photos of 2 parts
  and shrink started: 2 tasks
  and shrink: tasks 0–1 scheduled
 When shrink[1] reported done by attempt 1
 Then shrink[1] confirmed, attempt 1
`, s.String())
}

func TestASpecThatDoesNotHoldSaysWhatWasWantedAndWhatCame(t *testing.T) {
	for name, test := range map[string]struct {
		spec Spec
		says string
	}{
		"other events": {
			Spec{Name: "x", Given: given(), When: Confirm("shrink", Only(1)), Then: Events(Confirmed("shrink", Only(0)))},
			"want\n  shrink[0] confirmed, attempt 1\ngot\n  shrink[1] confirmed, attempt 1\n",
		},
		"fewer events than wanted": {
			Spec{Name: "x", Given: given(), When: Confirm("shrink", Only(1)), Then: Nothing},
			"want\n  nothing\ngot\n  shrink[1] confirmed, attempt 1\n",
		},
		"a refusal that was not wanted": {
			Spec{Name: "x", Given: given(), When: Confirm("shrink", Only(5)), Then: Nothing},
			"got a refusal\n  process \"example\": \"shrink\" has no scheduled tasks 5",
		},
		"no refusal": {
			Spec{Name: "x", Given: given(), When: Confirm("shrink", Only(1)), Fails: "no"},
			"want a refusal with \"no\"\ngot\n  shrink[1] confirmed",
		},
		"another refusal": {
			Spec{Name: "x", Given: given(), When: Confirm("shrink", Only(5)), Fails: "out of paper"},
			"want a refusal with\n  out of paper\ngot\n  process",
		},
		"words that hide the difference": {
			Spec{Name: "x", Given: given(), When: Confirm("shrink", Only(1), Listed("a")), Then: Events(Confirmed("shrink", Only(1), Listed("b")))},
			"\"key\": \"b\"",
		},
		"effects": {
			Spec{Name: "x", Given: given(), When: Confirm("shrink", Only(1)), Then: Events(Confirmed("shrink", Only(1))), Sends: []process.Effect{process.Halt{}}},
			"want to send\n  to the work queue: drop",
		},
		"a past that cannot be": {
			Spec{Name: "x", Given: Events(Scheduled("shrink", All(1))), When: Confirm("shrink", Only(1)), Then: Nothing},
			"what is given cannot have happened",
		},
		"both Then and Fails": {
			Spec{Name: "x", When: Confirm("shrink", Only(1)), Then: Nothing, Fails: "x"},
			"say either Then, Outcome or Fails",
		},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorContains(t, test.spec.Check(), test.says) })
	}
}

func TestThePageOfRulesInTheDocumentationIsFresh(t *testing.T) {
	const page = "../docs/specs.md"
	have, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, aggregate.Page(), string(have), "run `make specs`")
}
