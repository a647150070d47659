package whatif_test

import (
	"encoding/json"
	"fmt"
	"strings"
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

func TestAStepThatIsAddedWouldRunWithAnUnknownResult(t *testing.T) {
	s := begin(t, album(), 1)
	s.done(1, "shrink", 1, 0)
	s.done(2, "bind", 1, 0)
	r := s.under(func(d definition.Definition) (definition.Definition, error) {
		d.Steps = append(append([]definition.Step(nil), d.Steps...), definition.Step{Address: "index", Run: task.Run{Handler: "photo/index"}, In: names("small")})
		return d, nil
	})
	require.Equal(t, []string{"step index is new"}, r.Changes)
	require.EqualValues(t, 8, r.Divergence.Event)
	require.Empty(t, r.Divergence.Recorded)
	require.Equal(t, []string{"index started: 1 task", "index[0] scheduled"}, r.Divergence.Instead)
	require.Equal(t, []string{"index[0]"}, tasks(r.Unknown))
	require.Equal(t, process.Running, r.Instead.Status)
}

func TestAStepThatIsTakenOutLeavesItsResultsWithoutMeaning(t *testing.T) {
	s := begin(t, album(), 1)
	s.done(1, "shrink", 1, 0)
	s.done(2, "bind", 1, 0)
	r := s.under(func(d definition.Definition) (definition.Definition, error) {
		d.Steps, d.Outputs = d.Steps[:1], nil
		return d, nil
	})
	require.Equal(t, []string{"bind[0]"}, tasks(r.Fewer))
	require.Equal(t, 1, r.LeftOut)
	require.Equal(t, process.Completed, r.Instead.Status)
	require.Equal(t, after(1), r.Instead.At)
}

func TestAStepThatDoesOtherWorkHasUnknownResults(t *testing.T) {
	s := begin(t, album(), 1)
	s.done(1, "shrink", 1, 0)
	s.done(2, "bind", 1, 0)
	r := s.under(func(d definition.Definition) (definition.Definition, error) {
		d.Steps = append([]definition.Step(nil), d.Steps...)
		d.Steps[1].Run.Handler = "photo/glue"
		return d, nil
	})
	require.Empty(t, r.Divergence.Instead)
	require.Equal(t, "bind does other work: run is photo/glue instead of photo/bind", r.Divergence.Why)
	require.Equal(t, []string{"bind[0]: bind does other work: run is photo/glue instead of photo/bind"}, tasks(r.Unknown))
}

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

func TestAChangedFileMakesUnknownWhatTheStepsDoThatNameIt(t *testing.T) {
	def := album()
	def.Steps[1].Run = task.Run{Command: []string{"python3", "bind.py"}}
	def.Files = []task.File{{Name: "bind.py", Ref: task.Ref{Key: "1", SHA256: "01"}}, {Name: "notes.txt", Ref: task.Ref{Key: "2", SHA256: "02"}}}
	s := begin(t, def, 1)
	s.done(1, "shrink", 1, 0)
	s.done(2, "bind", 1, 0)
	with := func(sum, other string) []string {
		return tasks(s.under(func(d definition.Definition) (definition.Definition, error) {
			d.Files = []task.File{{Name: "bind.py", Ref: task.Ref{Key: "3", SHA256: sum}}, {Name: other, Ref: task.Ref{Key: "4", SHA256: "02"}}}
			return d, nil
		}).Unknown)
	}
	require.Equal(t, []string{"bind[0]: bind does other work: the file bind.py, which it names, is another"}, with("03", "notes.txt"))
	require.Empty(t, with("01", "notes.txt"))
	require.Empty(t, with("01", "new.txt"), "nobody names it")
}

func TestOtherParametersAreTakenToChangeNoResultAndTheReportSaysSo(t *testing.T) {
	s := begin(t, album(), 1)
	s.done(1, "shrink", 1, 0)
	r := s.under(func(d definition.Definition) (definition.Definition, error) {
		d.Params = map[string]json.RawMessage{"quality": json.RawMessage(`80`)}
		return d, nil
	})
	require.Nil(t, r.Divergence)
	require.Contains(t, r.Notes, "results are taken to be the same under other parameters (quality): what a handler makes of them is not known here")
}

func TestAWaitThatAHandlerAskedForIsTheSameUnderAnyBackoff(t *testing.T) {
	s := begin(t, album(), 1)
	s.tell(process.FailTasks{Address: "shrink", Attempt: 1, Tasks: task.Span(0, 1), Error: "busy", Verdict: task.Retry, After: task.Duration(9 * time.Second), At: after(1)})
	s.retried(10, "shrink", 2, 0)
	s.done(11, "shrink", 2, 0)
	require.Nil(t, s.replay("shrink.retry.backoff", "30s").Divergence)
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

func TestResultsThatWereReusedAreReusedWhenTheirTasksAreScheduled(t *testing.T) {
	s := begin(t, album(), 3)
	small := func(i int) []task.Produced {
		return []task.Produced{{Index: i, Data: "small", Part: task.Part{Value: json.RawMessage("1")}}}
	}
	s.tell(process.ReuseTasks{Address: "shrink", Attempt: 1, Tasks: task.Of(2), Parts: small(2), At: after(1)})
	s.done(2, "shrink", 1, 0, 1)
	s.done(3, "bind", 1, 0)
	r := s.replay("shrink.parallelism", "1")
	require.Empty(t, r.Refused, "no person asked for it")
	require.Empty(t, r.Unknown)
	require.Zero(t, r.LeftOut)
	require.Equal(t, process.Completed, r.Instead.Status)
}

// family is an album whose photos are shrunk by a process each.
func family() definition.Definition {
	def := album()
	def.Steps[0].Run, def.Steps[0].Process = task.Run{}, &definition.Definition{
		Name: "shrink", Inputs: []string{"photos"}, Outputs: []string{"small"},
		Steps: []definition.Step{{Address: "one", Run: task.Run{Handler: "photo/shrink"}, In: names("photos"), Out: definition.Outputs(names("small")...)}},
	}
	return def
}

func TestChildrenThatNobodyStartedAreUnknown(t *testing.T) {
	r := spoiled(t, family()).replay("shrink.retry.attempts", "5")
	require.Equal(t, []string{"shrink[1] attempt 4"}, tasks(r.More))
	require.Equal(t, []string{"shrink[1] attempt 4"}, tasks(r.Unknown))
	require.Empty(t, r.Notes)
}

func TestWhatChildrenWouldHaveDoneIsNotTold(t *testing.T) {
	r := spoiled(t, family()).replay("shrink/one.retry.attempts", "5")
	require.Nil(t, r.Divergence)
	require.Equal(t, []string{"what happens in children is not replayed: those of shrink are told as if they had ended as they did"}, r.Notes)
}
