package whatif_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// spoiled is an album of three photos; the one with number 1 fails three times.
func spoiled(t *testing.T, def definition.Definition) *story {
	s := begin(t, def, 3)
	s.done(1, "shrink", 1, 0, 2)
	s.failed(2, "shrink", 1, 1)
	s.retried(3, "shrink", 2, 1)
	s.failed(4, "shrink", 2, 1)
	s.retried(6, "shrink", 3, 1)
	s.failed(7, "shrink", 3, 1)
	return s
}

func TestWithMoreAttemptsTheOneThatNobodyMadeIsUnknown(t *testing.T) {
	s := spoiled(t, album())
	require.Equal(t, process.Failed, s.state.Status)
	r := s.replay("shrink.retry.attempts", "5")
	require.Equal(t, []string{"step shrink: retry attempts 5, was 3"}, r.Changes)
	require.EqualValues(t, 12, r.Divergence.Event)
	require.Equal(t, []string{"process failed at shrink[1] (1.jpg), attempt 3: failed 3 times, the last time with: not a photo"}, r.Divergence.Recorded)
	require.Equal(t, []string{"shrink[1] to be retried as attempt 4, 4s later"}, r.Divergence.Instead)
	require.Equal(t, []string{"shrink[1] attempt 4"}, tasks(r.More))
	require.Equal(t, []string{"shrink[1] attempt 4"}, tasks(r.Unknown))
	require.Empty(t, r.Fewer)
	require.Equal(t, 2, r.Retries.Recorded)
	require.Equal(t, 3, r.Retries.Instead)
	require.Equal(t, process.Running, r.Instead.Status)
	require.Equal(t, after(11), r.Instead.At, "attempt 4 would have begun then")
}

func TestWhatAStepToleratesLetsTheNextOneRunOnDataThatNobodyHasSeen(t *testing.T) {
	s := spoiled(t, album())
	r := s.replay("shrink.tolerate", "1")
	require.Equal(t, []string{
		"shrink[1] skipped: failed 3 times, the last time with: not a photo", "shrink completed: small of 2 parts", "bind started: 1 task", "bind[0] scheduled",
	}, r.Divergence.Instead)
	require.Equal(t, []string{"bind[0]"}, tasks(r.More))
	require.Equal(t, []string{"bind[0]"}, tasks(r.Unknown))
}

func TestWithFewerAttemptsWhatCameAfterwardsWouldNotHaveRun(t *testing.T) {
	s := begin(t, album(), 2)
	s.failed(1, "shrink", 1, 0)
	s.retried(2, "shrink", 2, 0)
	s.done(3, "shrink", 2, 0)
	s.done(4, "shrink", 1, 1)
	s.done(5, "bind", 1, 0)
	r := s.replay("shrink.retry.attempts", "1")
	require.EqualValues(t, 5, r.Divergence.Event)
	require.Equal(t, []string{"bind[0]", "shrink[0] attempt 2"}, tasks(r.Fewer))
	require.Equal(t, process.Failed, r.Instead.Status)
	require.Equal(t, task.Duration(time.Second), r.Instead.Took)
	require.Equal(t, 3, r.LeftOut)
	require.Equal(t, process.Completed, r.Recorded.Status)
}

func TestALongerBackoffDelaysTheRetryAndWhatFollows(t *testing.T) {
	s := begin(t, album(), 1)
	s.failed(1, "shrink", 1, 0)
	s.retried(2, "shrink", 2, 0)
	s.done(4, "shrink", 2, 0)
	s.done(5, "bind", 1, 0)
	r := s.replay("shrink.retry.backoff", "20s")
	require.Equal(t, []string{"shrink[0] to be retried as attempt 2, 1s later"}, r.Divergence.Recorded)
	require.Equal(t, []string{"shrink[0] to be retried as attempt 2, 20s later"}, r.Divergence.Instead)
	require.Equal(t, process.Completed, r.Instead.Status)
	require.Equal(t, after(23), r.Instead.At, "a retry at 21 s, which takes a second, and bind another one")
	require.Equal(t, 1, r.Retries.Instead)
	require.Zero(t, r.LeftOut)
}

func TestAShorterBackoffOnlyWaitsLess(t *testing.T) {
	s := spoiled(t, album())
	r := s.replay("shrink.retry.backoff", "100ms")
	require.Equal(t, process.Failed, r.Instead.Status)
	require.Equal(t, r.Recorded, r.Instead, "the results came when they came")
	require.Equal(t, 2, r.Retries.Instead)
	require.Empty(t, r.More)
}

func TestARetryAfterTheRecordedEndHappensAtItsOwnTime(t *testing.T) {
	s := begin(t, album(), 2)
	s.failed(1, "shrink", 1, 0)
	s.tell(process.FailTasks{Address: "shrink", Attempt: 1, Tasks: task.Span(1, 1), Error: "bad", Verdict: task.Permanent, At: after(1.5)})
	require.Equal(t, process.Failed, s.state.Status, "the retry of 0 never came")
	r := s.replay("shrink.tolerate", "1")
	require.Equal(t, []string{"shrink[0] attempt 2"}, tasks(r.Unknown))
	require.Equal(t, after(2), r.Instead.At)
}

func TestAPersonsRetryIsRefusedWhereNothingHadFailed(t *testing.T) {
	s := spoiled(t, album())
	s.tell(process.RetryTasks{Asked: process.Asked{By: "ada", Reason: "new camera"}, At: after(60)})
	s.done(61, "shrink", 4, 1)
	s.done(62, "bind", 1, 0)
	require.Equal(t, process.Completed, s.state.Status)
	r := s.replay("shrink.retry.attempts", "4")
	require.Equal(t, 1, r.Refusals)
	require.Equal(t, "nothing has failed: there is nothing to retry", r.Refused[0].Reason)
	require.EqualValues(t, 13, r.Refused[0].Event)
	require.Equal(t, process.Completed, r.Instead.Status, "attempt 4 is what ada asked for, and its result is known")
	require.Empty(t, r.More)
	require.Zero(t, r.LeftOut)
	require.Equal(t, 3, r.Retries.Instead)
}

func TestAWaitThatAHandlerAskedForIsTheSameUnderAnyBackoff(t *testing.T) {
	s := begin(t, album(), 1)
	s.tell(process.FailTasks{Address: "shrink", Attempt: 1, Tasks: task.Span(0, 1), Error: "busy", Verdict: task.Retry, After: task.Duration(9 * time.Second), At: after(1)})
	s.retried(10, "shrink", 2, 0)
	s.done(11, "shrink", 2, 0)
	require.Nil(t, s.replay("shrink.retry.backoff", "30s").Divergence)
}
