package aggregate

import (
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

var losses = Feature{
	Name: "lost workers",
	About: "A worker that is handed a message for the second time does not run it: the first holder's lease has run out, so it reports " +
		"the tasks as lost. The aggregate schedules them again as a new attempt. Losses have a budget of their own and cost no attempt of the retry policy.",
	Specs: []Spec{
		{
			Name:  "lost tasks are scheduled again as a new attempt",
			Given: Events(Started(resize, Input("photos", 3)), StepStarted("shrink", 3), Scheduled("shrink", All(3))),
			When:  Lose("shrink", Only(0, 2)),
			Then: Events(
				Lost("shrink", Only(0, 2)),
				Scheduled("shrink", Only(0, 2), Attempt(2)),
			),
			Sends: []process.Effect{process.Enqueue{Address: "shrink", Attempt: 2, Tasks: Only(0, 2)}},
		},
		{
			Name: "what was confirmed before the worker died is not lost",
			Given: Events(
				Started(resize, Input("photos", 3)), StepStarted("shrink", 3), Scheduled("shrink", All(3)),
				Confirmed("shrink", Only(0), Wrote(0, "small")),
			),
			When: Lose("shrink", Only(0, 2)),
			Then: Events(Lost("shrink", Only(2)), Scheduled("shrink", Only(2), Attempt(2))),
		},
		{
			Name: "the same loss reported twice is one loss",
			Given: Events(
				Started(resize, Input("photos", 3)), StepStarted("shrink", 3), Scheduled("shrink", All(3)),
				Lost("shrink", Only(1)), Scheduled("shrink", Only(1), Attempt(2)),
			),
			When: Lose("shrink", Only(1)),
			Then: Nothing,
		},
		{
			Name:  "a task that is lost a sixth time ends the process: it may be what kills the workers",
			Given: lostFiveTimes(),
			When:  Lose("shrink", Only(1), Attempt(6)),
			Then: Events(
				Lost("shrink", Only(1), Attempt(6)),
				ProcessFailed("shrink", 1, "lost with its worker 6 times: it may be what kills them (memory?)", Attempt(6)),
			),
		},
	},
}

func lostFiveTimes() []process.Event {
	events := Events(Started(resize, Input("photos", 3)), StepStarted("shrink", 3), Scheduled("shrink", All(3)))
	for attempt := 1; attempt <= process.LossBudget; attempt++ {
		events = append(events, Lost("shrink", Only(1), Attempt(attempt)), Scheduled("shrink", Only(1), Attempt(attempt+1)))
	}
	return events
}
