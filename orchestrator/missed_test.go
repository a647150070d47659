package orchestrator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

// looks lets the timeout manager look n times, a second apart.
func (r *rig) looks(n int) {
	for range n {
		r.pass(time.Second)
		r.step()
	}
}

func TestATaskWhoseMessageIsGoneIsSentAgainAtTheSameAttemptOnceItWasMissedTwice(t *testing.T) {
	r := begun(t, fanOut(), 2)
	require.Len(t, r.received(), 2) // and acknowledged, by a worker that then dies without a word
	r.looks(int(lease / time.Second))
	require.Empty(t, r.received())
	r.pass(time.Second)
	r.step()
	require.Empty(t, r.received(), "missed once")
	r.pass(time.Second)
	r.step()
	again := r.received()
	require.Equal(t, "0–1", indexes(again).String())
	require.Equal(t, 1, again[0].Attempt)
}

func TestATaskThatIsBetweenItsReportAndItsAcknowledgementIsNotSentAgain(t *testing.T) {
	r := begun(t, fanOut(), 1)
	r.received()
	r.looks(int(lease/time.Second) + 1) // missed once: the report comes just now
	r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: task.Span(0, 1), Outcome: task.Lost})
	r.looks(2)
	work := r.received()
	require.Len(t, work, 1)
	require.Equal(t, 2, work[0].Attempt)
}
