package whatif_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
)

func TestAChangeHoldsForWhatAPersonRevisedLaterToo(t *testing.T) {
	s := begin(t, album(), 1)
	revised := album()
	revised.Steps = append([]definition.Step(nil), revised.Steps...)
	revised.Steps[1].Parallelism = 7
	s.tell(process.ReviseProcess{Definition: revised, At: after(1)})
	s.failed(2, "shrink", 1, 0)
	r := s.replay("shrink.retry.attempts", "1")
	require.Equal(t, []string{"shrink[0] to be retried as attempt 2, 1s later"}, r.Divergence.Recorded)
	require.Equal(t, process.Failed, r.Instead.Status)
	require.Nil(t, s.under(unchanged).Divergence)
}

func TestAProcessThatStillRunsIsToldUpToItsLastEvent(t *testing.T) {
	s := begin(t, album(), 3)
	s.done(1, "shrink", 1, 0)
	r := s.replay("shrink.parallelism", "1")
	require.Equal(t, []string{"shrink[2]"}, tasks(r.Uncertain), "1 is under way, as it is")
	require.Empty(t, r.Unknown)
	require.Equal(t, process.Running, r.Instead.Status)
	require.Contains(t, r.Notes, "the process is running: both worlds are told up to its last event")
}

func TestAReportReadsAsAPageForPeople(t *testing.T) {
	s := spoiled(t, album())
	asked := process.RetryTasks{Asked: process.Asked{By: "ada", Reason: "new\ncamera"}, At: after(60)}
	s.tell(asked)
	s.done(61, "shrink", 4, 1)
	require.Equal(t, `process p, if it had been started with another definition:
  step shrink: retry attempts 4, was 3

the first divergence is at event 12, 7s after the start
  recorded  process failed at shrink[1] (1.jpg), attempt 3: failed 3 times, the last time with: not a photo
  instead   shrink[1] to be retried as attempt 4, 4s later

retries   3 recorded, 3 instead
refused   event 13 (`+strings.ReplaceAll(asked.String(), "\n", " ")+`): nothing has failed: there is nothing to retry
recorded  running after 1m1s
instead   running after 1m1s

to be borne in mind:
  the process is running: both worlds are told up to its last event
`, s.replay("shrink.retry.attempts", "4").String())
}

func TestAnInputThatTheProcessWasNotGivenIsAnError(t *testing.T) {
	s := begin(t, album(), 1)
	_, err := replayed(s.history, func(d definition.Definition) (definition.Definition, error) {
		d.Inputs = []string{"photos", "captions"}
		return d, nil
	})
	require.EqualError(t, err, `the definition has the input "captions", which the process was not given`)
}

func TestWhatIsNoHistoryIsAnError(t *testing.T) {
	_, err := replayed(nil, unchanged)
	require.EqualError(t, err, "there is no history to replay")
	_, err = replayed([]process.Event{process.ProcessCompleted{At: noon}}, unchanged)
	require.ErrorContains(t, err, "event 1 (process completed) follows from nothing that is recorded")
	_, err = replayed([]process.Event{process.TasksLost{Address: "a", At: noon}}, unchanged)
	require.Error(t, err)
}
