package aggregate

import (
	. "github.com/deedrun/deed/specs"
)

func parallelism() Feature {
	return Feature{
		Name: "parallelism",
		About: "`parallelism: n` is a rule of the aggregate: no more than n tasks of the step are open at a time. " +
			"A task that waits for a retry keeps its place. Only what a person retries does not wait for room.",
		Specs: []Spec{
			{
				Name: "a step starts with as many tasks as may be open",
				When: Start(throttled, Input("photos", 5)),
				Then: Events(Started(throttled, Input("photos", 5)), StepStarted("shrink", 5), Scheduled("shrink", All(2))),
			},
			{
				Name:  "a confirmation makes room for the next task",
				Given: Events(Started(throttled, Input("photos", 5)), StepStarted("shrink", 5), Scheduled("shrink", All(2))),
				When:  Confirm("shrink", Only(1), Wrote(1, "small")),
				Then:  Events(Confirmed("shrink", Only(1), Wrote(1, "small")), Scheduled("shrink", Only(2))),
			},
			{
				Name:  "a duplicate makes no room",
				Given: Events(Started(throttled, Input("photos", 5)), StepStarted("shrink", 5), Scheduled("shrink", All(2)), Confirmed("shrink", Only(1), Wrote(1, "small")), Scheduled("shrink", Only(2))),
				When:  Confirm("shrink", Only(1), Wrote(1, "small")),
				Then:  Nothing,
			},
			{
				Name:  "a failure makes no room",
				Given: Events(Started(throttled, Input("photos", 5)), StepStarted("shrink", 5), Scheduled("shrink", All(2))),
				When:  Fail("shrink", Only(0)),
				Then:  Events(Failed("shrink", Only(0)), RetryPlanned("shrink", Only(0), Attempt(2), After(second))),
			},
			{
				Name: "a skipped task that a person retries does not wait for room",
				Given: following(Events(Started(lenientOneByOne, Input("photos", 3)), StepStarted("shrink", 3), Scheduled("shrink", Only(0))),
					append(spoilt(0), Scheduled("shrink", Only(1)))...),
				When: Retry("shrink", Only(0)),
				Then: Events(Retried(Fresh("shrink", Only(0))), Scheduled("shrink", Only(0), Attempt(2))),
			},
			{
				Name: "but the next task then does",
				Given: following(Events(Started(lenientOneByOne, Input("photos", 3)), StepStarted("shrink", 3), Scheduled("shrink", Only(0))),
					append(spoilt(0), Scheduled("shrink", Only(1)), Retried(Fresh("shrink", Only(0))), Scheduled("shrink", Only(0), Attempt(2)))...),
				When: Confirm("shrink", Only(1), Wrote(1, "small")),
				Then: Events(Confirmed("shrink", Only(1), Wrote(1, "small"))),
			},
		},
	}
}
