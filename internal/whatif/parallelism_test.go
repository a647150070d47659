package whatif_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
)

func TestWithALowerParallelismTheSameResultsComeOneAfterTheOther(t *testing.T) {
	s := begin(t, album(), 4)
	s.done(1, "shrink", 1, 3)
	s.done(1, "shrink", 1, 1, 2)
	s.done(1, "shrink", 1, 0)
	s.done(2, "bind", 1, 0)
	r := s.replay("shrink.parallelism", "1")
	require.EqualValues(t, 3, r.Divergence.Event)
	require.Equal(t, []string{"shrink: tasks 0–3 scheduled"}, r.Divergence.Recorded)
	require.Equal(t, []string{"shrink[0] scheduled"}, r.Divergence.Instead)
	require.Empty(t, r.More)
	require.Empty(t, r.Fewer)
	require.Empty(t, r.Unknown)
	require.Zero(t, r.LeftOut)
	require.Equal(t, process.Completed, r.Instead.Status)
	require.Equal(t, after(5), r.Instead.At, "0 at one second, then three tasks of a second each, then bind")
}

// covered is an album whose photos are looked at by two steps side by side.
func covered() definition.Definition {
	def := album()
	cover := def.Steps[0]
	cover.Address, cover.Out = "cover", definition.Outputs(names("covers")...)
	def.Steps = append(def.Steps, cover)
	return def
}

func TestWithALowerParallelismOfTheProcessOneStepWaitsForAnother(t *testing.T) {
	s := begin(t, covered(), 2)
	s.done(1, "shrink", 1, 0)
	s.done(1, "shrink", 1, 1)
	s.done(1, "cover", 1, 0)
	s.done(1, "cover", 1, 1)
	s.done(2, "bind", 1, 0)
	r := s.replay("parallelism", "2")
	require.EqualValues(t, 3, r.Divergence.Event)
	require.Empty(t, r.Unknown)
	require.Zero(t, r.LeftOut)
	require.Equal(t, process.Completed, r.Instead.Status)
	require.Equal(t, after(3), r.Instead.At, "five tasks of a second each, two at a time")
	require.Nil(t, s.replay("parallelism", "4").Divergence, "there is room for all: only the order of events within a decision is another")
}

func TestWhoWouldHaveExecutedWhatIsNotTold(t *testing.T) {
	s := begin(t, album(), 1)
	s.done(1, "shrink", 1, 0)
	s.done(2, "bind", 1, 0)
	r := s.replay("weight", "5", "bind.pool", "gpu", "shrink.rate", "1/h", "shrink.needs", "cpu=2")
	require.Nil(t, r.Divergence)
	require.Equal(t, []string{
		"results are taken to come when they did under another bind.pool, shrink.needs, shrink.rate, weight: who would have executed what, and when, is not known here",
	}, r.Notes)
}

func TestAnAttemptThatBeginsLaterTakesAsLongAsTheRecordedOne(t *testing.T) {
	s := begin(t, album(), 2)
	s.done(1, "shrink", 1, 0)
	s.done(1.25, "shrink", 1, 1) // beside the other, each for a second
	s.done(2, "bind", 1, 0)
	r := s.replay("shrink.parallelism", "1")
	require.Equal(t, after(3), r.Instead.At, "shrink[1] from one second to two, and then bind")
	require.Zero(t, r.LeftOut)
}
