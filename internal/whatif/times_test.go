package whatif_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestAShorterTimeoutHasNoEffectOnRecordedResultsAndTheReportSaysSo(t *testing.T) {
	s := begin(t, album(), 1)
	s.done(1, "shrink", 1, 0) // it took a second
	s.done(2, "bind", 1, 0)
	r := s.replay("shrink.timeout", "500ms")
	require.Nil(t, r.Divergence)
	require.Equal(t, []string{
		"a shorter timeout changes no recorded result, so shrink is told as if its timeout of 500ms ended nothing; but at least 1 of its tasks took longer than that",
	}, r.Notes)
	require.Contains(t, r.String(), "no divergence")
	require.NotContains(t, fmt.Sprint(s.replay("shrink.timeout", "30s").Notes), "longer than that")
}

func TestWithALongerTimeoutNobodyKnowsHowAnAttemptWouldHaveEnded(t *testing.T) {
	s := begin(t, album(), 1)
	s.tell(process.TryTimeoutTask{Address: "shrink", Attempt: 1, Index: 0, Elapsed: task.Duration(61 * time.Second), At: after(61)})
	s.done(70, "shrink", 2, 0)
	s.done(71, "bind", 1, 0)
	for _, timeout := range []string{"5m", "none"} {
		r := s.replay("shrink.timeout", timeout)
		require.Equal(t, []string{"shrink[0] timed out at attempt 1", "shrink[0] scheduled again, attempt 2"}, r.Divergence.Recorded)
		require.Empty(t, r.Divergence.Instead)
		require.Contains(t, r.Divergence.Why, "nobody knows how shrink[0] would have ended")
		require.Equal(t, []string{"shrink[0]"}, tasks(r.Unknown))
		require.Equal(t, []string{"bind[0]", "shrink[0] attempt 2"}, tasks(r.Uncertain))
		require.Empty(t, r.Fewer)
	}
	require.Nil(t, s.replay("shrink.timeout", "61s").Divergence, "it ran longer than that, too")
}

func TestADeadlineStrikesBeforeResultsThatCameAfterIt(t *testing.T) {
	s := begin(t, album(), 1)
	s.done(10, "shrink", 1, 0)
	s.done(20, "bind", 1, 0)
	r := s.replay("deadline", "15s")
	require.EqualValues(t, 8, r.Divergence.Event)
	require.Equal(t, []string{"the deadline of 15s was missed", "process failed: it took longer than its deadline of 15s"}, r.Divergence.Instead)
	require.Equal(t, process.Failed, r.Instead.Status)
	require.Equal(t, after(15), r.Instead.At)
	require.Empty(t, r.Fewer, "bind had begun in time")
	require.Nil(t, s.replay("deadline", "1m").Divergence)
}

func TestALiftedDeadlineLetsAProcessGoOn(t *testing.T) {
	def := album()
	def.Deadline = task.Duration(5 * time.Second)
	s := begin(t, def, 1)
	s.tell(process.FireDeadline{At: after(5.2)})
	require.Equal(t, process.Failed, s.state.Status)
	r := s.replay("deadline", "none")
	require.Equal(t, []string{"the deadline of 5s was missed", "process failed: it took longer than its deadline of 5s"}, r.Divergence.Recorded)
	require.Empty(t, r.Divergence.Instead)
	require.Equal(t, []string{"shrink[0]"}, tasks(r.Unknown))
	require.Nil(t, s.under(unchanged).Divergence, "the deadline struck a bit late, and does so again")
}
