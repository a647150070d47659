package specs_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/specs"
)

// patient tries each photo three times.
var patient = func() definition.Definition {
	d := resize
	d.Steps = slices.Clone(d.Steps)
	d.Steps[0].Retry.Attempts = 3
	return d
}()

func rule(o specs.Outcome, after ...process.Command) specs.Spec {
	return specs.Spec{
		Name:    "x",
		After:   append([]process.Command{specs.Start(patient, specs.Input("photos", 3))}, after...),
		When:    specs.Fail("shrink", specs.Only(1), specs.After(2*time.Second)),
		Outcome: &o,
	}
}

func TestAnOutcomeThatHoldsPassesAndReadsAsProse(t *testing.T) {
	s := rule(specs.Outcome{
		Events: []string{
			"shrink[1] failed at attempt 1 (retry): out of luck",
			"shrink[1]  to be retried as attempt 2, 2s later",
		},
		Status: process.Running, Steps: map[string]string{"shrink": "running"},
		Scheduled: []specs.Tasks{}, Skipped: []specs.Tasks{}, Retries: []specs.Waiting{{specs.Tasks{"shrink", specs.Only(1)}, 2 * time.Second}},
		Data: map[string]specs.Parts{"photos": {Count: 3}},
	}, specs.Confirm("shrink", specs.Only(0)))
	require.NoError(t, s.Check())
	require.Equal(t, `X
Given process resize is started with photos of 3 parts
  and shrink[0] reported done by attempt 1
 When shrink[1] reported failed by attempt 1 (retry), asking to wait 2s: out of luck
 Then shrink[1] failed at attempt 1 (retry): out of luck
  and shrink[1] to be retried as attempt 2, 2s later
  and the process is running
  and shrink is running
  and scheduled: nothing
  and waiting for retry: shrink[1] 2s
  and skipped: nothing
  and photos has 3 parts
`, s.String())
}

func TestEachAspectOfAnOutcomeThatDiffersIsAMismatchOfItsOwn(t *testing.T) {
	err := rule(specs.Outcome{
		Events: []string{"process failed"}, Status: process.Failed, Steps: map[string]string{"shrink": "completed", "frame": "waiting"},
		Scheduled: []specs.Tasks{{"shrink", specs.Only(1)}}, Skipped: []specs.Tasks{{"shrink", specs.Only(0, 1)}}, Retries: []specs.Waiting{},
		Data: map[string]specs.Parts{"photos": {Count: 3, Keys: map[string]int{"a": 3}}, "thumbs": {Count: 1}}, Because: "no paper",
	}).Check()
	for about, says := range map[string]string{
		specs.AboutEvents:    "  want  process failed\n  got   shrink[1] failed",
		specs.AboutStatus:    "  want  failed\n  got   running\n",
		specs.AboutSteps:     "  want  frame is waiting\n  want  shrink is completed\n  got   frame is no step of this process\n  got   shrink is running\n",
		specs.AboutScheduled: "  want  shrink[1]\n  got   nothing\n",
		specs.AboutSkipped:   "  want  shrink[0-1]\n  got   nothing\n",
		specs.AboutRetries:   "  want  nothing\n  got   shrink[1] 2s\n",
		specs.AboutData:      "  want  photos has 3 parts: a (3)\n  want  thumbs has 1 part\n  got   photos has 3 parts: no key (3)\n  got   thumbs is not sealed\n",
		specs.AboutBecause:   "  want  no paper\n  got   the process is running\n",
	} {
		require.ErrorContains(t, err, about+"\n"+says)
	}
	var mismatch *specs.MismatchError
	require.ErrorAs(t, err, &mismatch)
	require.Equal(t, "x", mismatch.Spec)
}

func TestEventsInWordsMayNameTasksAsPeopleWriteThem(t *testing.T) {
	for _, said := range []string{
		"shrink: tasks 0–2, 4 scheduled", "shrink: tasks 0-2,4 scheduled", "shrink[0-2,4] scheduled", " shrink[0–2, 4]   scheduled ",
	} {
		s := specs.Spec{
			Name: said, After: []process.Command{specs.Start(resize, specs.Input("photos", 5))}, When: specs.Lose("shrink", specs.Only(0, 1, 2, 4)),
			Outcome: &specs.Outcome{Events: []string{"shrink[0-2,4] lost with its worker at attempt 1", said + " again, attempt 2"}},
		}
		require.NoError(t, s.Check())
	}
}

func TestADiffKeepsWhatIsInBoth(t *testing.T) {
	s := rule(specs.Outcome{Events: []string{"it rains", "shrink[1] to be retried as attempt 2, 2s later", "it pours"}})
	require.EqualError(t, s.Check(), `spec "x": events
  want  it rains
  got   shrink[1] failed at attempt 1 (retry): out of luck
        shrink[1] to be retried as attempt 2, 2s later
  want  it pours
`)
}

func TestAPastThatIsRefusedIsAnErrorOfTheSpec(t *testing.T) {
	err := rule(specs.Outcome{Status: process.Running}, specs.Confirm("shrink", specs.Only(7))).Check()
	require.ErrorContains(t, err, `what is given cannot have happened: "shrink[7] reported done by attempt 1" is refused`)
}
