package aggregate

import (
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

func timeouts() Feature {
	return Feature{
		Name: "timeouts",
		About: "`timeout` is how long one attempt at a task may run; waiting on the queue does not count. The worker that runs it stops it " +
			"then, and reports a failure, which is retried like any other. For the case that the worker does not (its clock, its program or itself is stuck), the " +
			"timeout manager looks at what workers say they run, and asks about an attempt that is past its time. It only asks. The aggregate " +
			"decides: nothing, if the task is done or at another attempt; another attempt, at once; or, when the attempts are used up, the end, as the step says: " +
			"the process fails, or the task is skipped. A stuck attempt that ends after all still counts if it is the first to bring a result.",
		Specs: []Spec{
			{
				Name:  "a worker that stopped an attempt at its timeout reports it, and it is retried after a wait",
				Given: shrinking(2),
				When:  stoppedInTime("shrink", 1),
				Then: Events(
					reportedTimeout("shrink", 1),
					RetryPlanned("shrink", Only(1), Attempt(2), After(second)),
				),
			},
			{
				Name:  "an attempt that runs too long is given up, and the task is scheduled again",
				Given: shrinking(2),
				When:  TryTimeout("shrink", 1),
				Then:  Events(TimedOut("shrink", 1), Scheduled("shrink", Only(1), Attempt(2))),
				Sends: []process.Effect{process.Enqueue{Address: "shrink", Attempt: 2, Tasks: Only(1)}},
			},
			{
				Name:  "the attempt that was given up still counts if it is the first to bring a result",
				Given: shrinking(2, TimedOut("shrink", 1), Scheduled("shrink", Only(1), Attempt(2))),
				When:  Confirm("shrink", Only(1), Wrote(1, "small")),
				Then:  Events(Confirmed("shrink", Only(1), Wrote(1, "small"))),
			},
			{
				Name: "then the newer attempt changes nothing when it is done",
				Given: shrinking(2,
					TimedOut("shrink", 1), Scheduled("shrink", Only(1), Attempt(2)), Confirmed("shrink", Only(1), Wrote(1, "small")),
				),
				When: Confirm("shrink", Only(1), Attempt(2), Wrote(1, "small")),
				Then: Nothing,
			},
			{
				Name:  "a failure of the attempt that was given up changes nothing: it was counted as a timeout",
				Given: shrinking(2, TimedOut("shrink", 1), Scheduled("shrink", Only(1), Attempt(2))),
				When:  stoppedInTime("shrink", 1),
				Then:  Nothing,
			},
			{
				Name: "a task that was confirmed meanwhile is left alone",
				Given: shrinking(2,
					Confirmed("shrink", Only(1), Wrote(1, "small")),
				),
				When: TryTimeout("shrink", 1),
				Then: Nothing,
			},
			{
				Name: "asking about an attempt that is over changes nothing",
				Given: shrinking(2,
					TimedOut("shrink", 1), Scheduled("shrink", Only(1), Attempt(2)),
				),
				When: TryTimeout("shrink", 1, Attempt(1)),
				Then: Nothing,
			},
			{
				Name:  "asking about a task that waits for its retry changes nothing",
				Given: shrinking(2, Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second))),
				When:  TryTimeout("shrink", 1, Attempt(2)),
				Then:  Nothing,
			},
			{
				Name:  "asking about a process that has ended changes nothing",
				Given: shrinking(2, Cancelled()),
				When:  TryTimeout("shrink", 1),
				Then:  Nothing,
			},
			{
				Name: "timeouts and failures share the attempts of the retry policy",
				Given: shrinking(2,
					TimedOut("shrink", 1), Scheduled("shrink", Only(1), Attempt(2)),
					Failed("shrink", Only(1), Attempt(2)), RetryPlanned("shrink", Only(1), Attempt(3), After(2*second)), Scheduled("shrink", Only(1), Attempt(3)),
				),
				When: TryTimeout("shrink", 1, Attempt(3)),
				Then: Events(
					TimedOut("shrink", 1, Attempt(3)),
					ProcessFailed("shrink", 1, "failed 3 times, the last time with: it ran longer than its timeout", Attempt(3)),
				),
			},
			{
				Name: "a timeout of the last attempt ends the process",
				Given: shrinking(2,
					TimedOut("shrink", 1), Scheduled("shrink", Only(1), Attempt(2)),
					TimedOut("shrink", 1, Attempt(2)), Scheduled("shrink", Only(1), Attempt(3)),
				),
				When: TryTimeout("shrink", 1, Attempt(3)),
				Then: Events(
					TimedOut("shrink", 1, Attempt(3)),
					ProcessFailed("shrink", 1, "failed 3 times, the last time with: it ran longer than its timeout", Attempt(3)),
				),
			},
		},
	}
}

// stoppedInTime is what a worker reports that stopped an attempt itself.
func stoppedInTime(address string, index int) process.FailTasks {
	c := Fail(address, Only(index), Because("ran longer than its timeout of 1m"))
	c.Verdict = task.TimedOut
	return c
}

// reportedTimeout is the event of it.
func reportedTimeout(address string, index int) process.TasksFailed {
	e := Failed(address, Only(index), Because("ran longer than its timeout of 1m"))
	e.Verdict = task.TimedOut
	return e
}
