package aggregate

import (
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

const second = time.Second

var retries = Feature{
	Name: "failures and retries",
	About: "A task that fails is tried again after a while that doubles with every failure, until the step's attempts are used up: then " +
		"the process fails, since only the aggregate knows the whole graph. A failure that the handler calls permanent ends it at once. " +
		"A retry is planned by an event, so it survives a restart of everything.",
	Specs: []Spec{
		{
			Name:  "a task that fails is planned again, a little later",
			Given: Events(Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2))),
			When:  Fail("shrink", Only(1), Because("disk full")),
			Then: Events(
				Failed("shrink", Only(1), Because("disk full")),
				RetryPlanned("shrink", Only(1), Attempt(2), After(second)),
			),
		},
		{
			Name: "when its time has come it is scheduled as a new attempt",
			Given: Events(
				Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2)),
				Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)),
			),
			When:  Fire("shrink", Only(1), Attempt(2)),
			Then:  Events(Scheduled("shrink", Only(1), Attempt(2))),
			Sends: []process.Effect{process.Enqueue{Address: "shrink", Attempt: 2, Tasks: Only(1)}},
		},
		{
			Name: "the wait doubles with every failure",
			Given: Events(
				Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2)),
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
			Given: Events(
				Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2)),
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
			Given: Events(Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2))),
			When:  Fail("shrink", Only(0), Permanently(), Because("not a photo")),
			Then: Events(
				Failed("shrink", Only(0), Permanently(), Because("not a photo")),
				ProcessFailed("shrink", 0, "failed, and trying again is pointless: not a photo"),
			),
		},
		{
			Name: "a late result while a retry is planned makes the retry needless",
			Given: Events(
				Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2)),
				Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)),
				Confirmed("shrink", Only(1), Wrote(1, "small")),
			),
			When: Fire("shrink", Only(1), Attempt(2)),
			Then: Nothing,
		},
		{
			Name: "the same failure reported twice is one failure",
			Given: Events(
				Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2)),
				Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)),
			),
			When: Fail("shrink", Only(1)),
			Then: Nothing,
		},
		{
			Name: "a failure of an attempt that was given up is not counted",
			Given: Events(
				Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2)),
				Lost("shrink", Only(1)), Scheduled("shrink", Only(1), Attempt(2)),
			),
			When: Fail("shrink", Only(1)),
			Then: Nothing,
		},
	},
}
