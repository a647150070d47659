package aggregate

import . "github.com/deedrun/deed/specs"

var timeouts = Feature{
	Name:  "timeouts",
	About: "The timeout manager sees which attempts run for too long and only asks. The aggregate decides: nothing, another attempt, or the end of the process.",
	Specs: []Spec{
		{
			Name:  "an attempt that runs too long is given up, and the task is scheduled again",
			Given: Events(Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2))),
			When:  TryTimeout("shrink", 1),
			Then:  Events(TimedOut("shrink", 1), Scheduled("shrink", Only(1), Attempt(2))),
		},
		{
			Name: "a task that was confirmed meanwhile is left alone",
			Given: Events(
				Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2)),
				Confirmed("shrink", Only(1), Wrote(1, "small")),
			),
			When: TryTimeout("shrink", 1),
			Then: Nothing,
		},
		{
			Name: "asking about an attempt that is over changes nothing",
			Given: Events(
				Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2)),
				TimedOut("shrink", 1), Scheduled("shrink", Only(1), Attempt(2)),
			),
			When: TryTimeout("shrink", 1, Attempt(1)),
			Then: Nothing,
		},
		{
			Name: "a timeout of the last attempt ends the process",
			Given: Events(
				Started(resize, Input("photos", 2)), StepStarted("shrink", 2), Scheduled("shrink", All(2)),
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
