package aggregate

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/specs"
)

func TestAggregate(t *testing.T) { specs.Test(t, Features()...) }

func eachEvent(visit func(spec specs.Spec, e process.Event)) {
	for _, f := range Features() {
		for _, s := range f.Specs {
			for _, e := range append(append([]process.Event{}, s.Given...), s.Then...) {
				visit(s, e)
			}
		}
	}
}

func TestEveryEventFoundInASpecRoundTripsThroughTheCodec(t *testing.T) {
	eachEvent(func(s specs.Spec, e process.Event) {
		stored, err := process.Encode(e)
		require.NoError(t, err, s.Name)
		back, err := process.Decode(stored)
		require.NoError(t, err, s.Name)
		again, err := process.Encode(back)
		require.NoError(t, err, s.Name)
		require.Equal(t, string(stored.Data), string(again.Data), s.Name)
		require.Equal(t, e.String(), back.String(), s.Name)
	})
}

func TestEveryEventAndEveryCommandOccursInASpec(t *testing.T) {
	seen := map[string]bool{}
	eachEvent(func(_ specs.Spec, e process.Event) { seen[reflect.TypeOf(e).Name()] = true })
	for _, f := range Features() {
		for _, s := range f.Specs {
			seen[reflect.TypeOf(s.When).Name()] = true
		}
	}
	for _, e := range process.EventTypes() {
		require.True(t, seen[e.Name()], "no spec has the event %s", e.Name())
	}
	for _, c := range process.CommandTypes() {
		require.True(t, seen[c.Name()], "no spec has the command %s", c.Name())
	}
}

func TestEverySpecSaysSomethingOfItsOwn(t *testing.T) {
	names := map[string]bool{}
	for _, f := range Features() {
		require.NotEmpty(t, f.About, f.Name)
		for _, s := range f.Specs {
			require.False(t, names[s.Name], "two specs are named %q", s.Name)
			names[s.Name] = true
		}
	}
}

// The ledger of a merge grows by rounds: an event from a damaged history must
// not reach beyond it.
func TestAnEventAboutATaskThatAMergeDoesNotHaveIsDamageAndNoPanic(t *testing.T) {
	merging := shrinking(1,
		specs.Confirmed("shrink", specs.Only(0), specs.Listed("report 1")), specs.StepStarted("deed/seal/small", 400),
	)
	for _, e := range specs.Events(
		specs.Lost("deed/seal/small", specs.Only(700)),
		specs.Confirmed("deed/seal/small", specs.Only(700), specs.Merged(1, 1)),
		specs.Scheduled("deed/seal/small", specs.Only(900)),
		specs.Scheduled("deed/seal/small", specs.Only(700), specs.Generation(3)),
	) {
		s := process.Fold(process.State{}, following(merging, e)...)
		require.ErrorContains(t, s.Damage(), "event 6", "%s", e)
	}
}
