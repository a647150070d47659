package aggregate

import (
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

const second = time.Second

func retries() Feature {
	return Feature{
		Name: "failures and retries",
		About: "A task that fails is tried again after a while, until the attempts of its step (`retry.attempts`, 3 unless said) are used up: " +
			"then the process fails, since only the aggregate knows the whole graph, or the task is skipped, if its step tolerates that. The " +
			"wait begins at the lower end of `retry.backoff`, grows with every failure by `retry.factor` (2 unless said) and never beyond the " +
			"upper end. `retry.jitter` shortens it by up to that share, so that what failed together does not come back together. A handler " +
			"may say itself how long to wait, or that trying again is pointless. A retry is planned by an event, so it survives a restart of " +
			"everything.",
		Specs: []Spec{
			{
				Name:  "a task that fails is planned again, a little later",
				Given: shrinking(2),
				When:  Fail("shrink", Only(1), Because("disk full")),
				Then: Events(
					Failed("shrink", Only(1), Because("disk full")),
					RetryPlanned("shrink", Only(1), Attempt(2), After(second)),
				),
			},
			{
				Name: "when its time has come it is scheduled as a new attempt",
				Given: shrinking(2,
					Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)),
				),
				When:  Fire("shrink", Only(1), Attempt(2)),
				Then:  Events(Scheduled("shrink", Only(1), Attempt(2))),
				Sends: []process.Effect{process.Enqueue{Address: "shrink", Attempt: 2, Tasks: Only(1)}},
			},
			{
				Name: "the wait doubles with every failure",
				Given: shrinking(2,
					Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)), Scheduled("shrink", Only(1), Attempt(2)),
				),
				When: Fail("shrink", Only(1), Attempt(2)),
				Then: Events(
					Failed("shrink", Only(1), Attempt(2)),
					RetryPlanned("shrink", Only(1), Attempt(3), After(2*second)),
				),
			},
			{
				Name: "the last attempt ends the process, with the reason",
				Given: shrinking(2,
					Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)), Scheduled("shrink", Only(1), Attempt(2)),
					Failed("shrink", Only(1), Attempt(2)), RetryPlanned("shrink", Only(1), Attempt(3), After(2*second)), Scheduled("shrink", Only(1), Attempt(3)),
				),
				When: Fail("shrink", Only(1), Attempt(3), Because("disk full")),
				Then: Events(
					Failed("shrink", Only(1), Attempt(3), Because("disk full")),
					ProcessFailed("shrink", 1, "failed 3 times, the last time with: disk full", Attempt(3)),
				),
				Sends: []process.Effect{process.Halt{}},
			},
			{
				Name:  "a permanent failure ends the process at the first attempt",
				Given: shrinking(2),
				When:  Fail("shrink", Only(0), Permanently(), Because("not a photo")),
				Then: Events(
					Failed("shrink", Only(0), Permanently(), Because("not a photo")),
					ProcessFailed("shrink", 0, "failed for good: not a photo"),
				),
			},
			{
				Name: "a late result while a retry is planned makes the retry needless",
				Given: shrinking(2,
					Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)),
					Confirmed("shrink", Only(1), Wrote(1, "small")),
				),
				When: Fire("shrink", Only(1), Attempt(2)),
				Then: Nothing,
			},
			{
				Name: "the same failure reported twice is one failure",
				Given: shrinking(2,
					Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)),
				),
				When: Fail("shrink", Only(1)),
				Then: Nothing,
			},
			{
				Name: "a failure of an attempt that was given up is not counted",
				Given: shrinking(2,
					Lost("shrink", Only(1)), Scheduled("shrink", Only(1), Attempt(2)),
				),
				When: Fail("shrink", Only(1)),
				Then: Nothing,
			},
			{
				Name: "a late result counts also while its task waits for a retry",
				Given: shrinking(2,
					Lost("shrink", Only(1)), Scheduled("shrink", Only(1), Attempt(2)),
					Failed("shrink", Only(1), Attempt(2)), RetryPlanned("shrink", Only(1), Attempt(3), After(second)),
				),
				When: Confirm("shrink", Only(1), Wrote(1, "small")),
				Then: Events(Confirmed("shrink", Only(1), Wrote(1, "small"))),
			},
			{
				Name:  "with a factor of 3 the wait trebles with every failure",
				Given: begun(patient, 2, failedBefore(second)...),
				When:  Fail("shrink", Only(1), Attempt(2)),
				Then:  Events(Failed("shrink", Only(1), Attempt(2)), RetryPlanned("shrink", Only(1), Attempt(3), After(3*second))),
			},
			{
				Name:  "the wait never grows beyond the end of the backoff, 5s here",
				Given: begun(patient, 2, failedBefore(second, 3*second)...),
				When:  Fail("shrink", Only(1), Attempt(3)),
				Then:  Events(Failed("shrink", Only(1), Attempt(3)), RetryPlanned("shrink", Only(1), Attempt(4), After(5*second))),
			},
			{
				Name:  "with a factor of 1 the wait is always the same",
				Given: begun(steady, 2, failedBefore(second)...),
				When:  Fail("shrink", Only(1), Attempt(2)),
				Then:  Events(Failed("shrink", Only(1), Attempt(2)), RetryPlanned("shrink", Only(1), Attempt(3), After(second))),
			},
			{
				Name: "tasks that fail together but have failed differently often wait differently long",
				Given: shrinking(2,
					Failed("shrink", Only(0)), RetryPlanned("shrink", Only(0), Attempt(2), After(second)), Scheduled("shrink", Only(0), Attempt(2)),
					Lost("shrink", Only(1)), Scheduled("shrink", Only(1), Attempt(2)),
				),
				When: Fail("shrink", All(2), Attempt(2)),
				Then: Events(
					Failed("shrink", All(2), Attempt(2)),
					RetryPlanned("shrink", Only(1), Attempt(3), After(second)),
					RetryPlanned("shrink", Only(0), Attempt(3), After(2*second)),
				),
			},
			{
				Name:  "with a jitter of 50%, a wait of 8s is cut to between 4s and 8s, and each block of 64 neighbours has its own",
				Given: begun(spread, 256),
				When:  Fail("shrink", All(256)),
				Then: Events(
					Failed("shrink", All(256)),
					RetryPlanned("shrink", task.Span(64, 64), Attempt(2), After(4500*time.Millisecond)),
					RetryPlanned("shrink", task.Span(0, 64), Attempt(2), After(5*second)),
					RetryPlanned("shrink", task.Span(192, 64), Attempt(2), After(5500*time.Millisecond)),
					RetryPlanned("shrink", task.Span(128, 64), Attempt(2), After(6*second)),
				),
			},
			{
				Name:  "the jitter is drawn from what a task is called: the same attempt at the same task always waits equally long",
				Given: begun(spread, 256),
				When:  Fail("shrink", Only(3)),
				Then:  Events(Failed("shrink", Only(3)), RetryPlanned("shrink", Only(3), Attempt(2), After(5*second))),
			},
			{
				Name:  "another attempt at the same task waits differently long",
				Given: begun(spread, 256, Lost("shrink", Only(3)), Scheduled("shrink", Only(3), Attempt(2))),
				When:  Fail("shrink", Only(3), Attempt(2)),
				Then:  Events(Failed("shrink", Only(3), Attempt(2)), RetryPlanned("shrink", Only(3), Attempt(3), After(6500*time.Millisecond))),
			},
			{
				Name:  "a handler that says how long to wait gets just that",
				Given: begun(spread, 256),
				When:  Fail("shrink", Only(3), Because("too many requests"), After(time.Minute)),
				Then: Events(
					Failed("shrink", Only(3), Because("too many requests")),
					RetryPlanned("shrink", Only(3), Attempt(2), After(time.Minute)),
				),
			},
			{
				Name:  "but never more than a day",
				Given: shrinking(2),
				When:  Fail("shrink", Only(1), After(1000*time.Hour)),
				Then:  Events(Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(24*time.Hour))),
			},
			{
				Name:  "a wait that the handler asked for spends an attempt all the same",
				Given: shrinking(2, failedBefore(time.Minute, time.Minute)...),
				When:  Fail("shrink", Only(1), Attempt(3), Because("too many requests"), After(time.Minute)),
				Then: Events(
					Failed("shrink", Only(1), Attempt(3), Because("too many requests")),
					ProcessFailed("shrink", 1, "failed 3 times, the last time with: too many requests", Attempt(3)),
				),
			},
		},
	}
}

// patient waits 1s, 3s, 5s, 5s; steady always 1s; spread 4s to 8s.
var (
	patient = retriedAs("patient", tried(5, second, 5*second), growing(3))
	steady  = retriedAs("steady", tried(5, second, 30*second), growing(1))
	spread  = retriedAs("spread", tried(5, 8*second, 8*second), jittered(0.5))
)

func retriedAs(name string, how ...func(*definition.Step)) definition.Definition {
	return define(name, names("photos"), names("small"),
		step("shrink", append([]func(*definition.Step){each("photos"), writes("small")}, how...)...),
	)
}

// failedBefore is shrink[1] that has failed, once for each wait, and is at its
// next attempt.
func failedBefore(waits ...time.Duration) []process.Event {
	var events []process.Event
	for i, wait := range waits {
		events = append(events,
			Failed("shrink", Only(1), Attempt(i+1)), RetryPlanned("shrink", Only(1), Attempt(i+2), After(wait)),
			Scheduled("shrink", Only(1), Attempt(i+2)),
		)
	}
	return events
}
