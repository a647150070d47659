package aggregate

import (
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

func duplicates() Feature {
	return Feature{
		Name: "duplicates and late results",
		About: "Queues deliver at least once, workers die after they reported, and answers come late. Each task is confirmed exactly once: " +
			"the first result counts, whichever attempt it is of, and every other one changes nothing.",
		Specs: []Spec{
			{
				Name: "a duplicate of a result changes nothing",
				Given: shrinking(2,
					Confirmed("shrink", Only(1), Wrote(1, "small")),
				),
				When: Confirm("shrink", Only(1), Wrote(1, "small")),
				Then: Nothing,
			},
			{
				Name: "of a result that overlaps an earlier one, only what is new counts",
				Given: shrinking(4,
					Confirmed("shrink", Only(1), Wrote(1, "small")),
				),
				When: Confirm("shrink", All(3), Wrote(0, "small"), Wrote(1, "small"), Wrote(2, "small")),
				Then: Events(Confirmed("shrink", Only(0, 2), Wrote(0, "small"), Wrote(2, "small"))),
			},
			{
				Name: "a manifest speaks for exactly the tasks it was accepted for",
				Given: shrinking(4,
					Confirmed("shrink", Only(0), Wrote(0, "small")),
				),
				When: Confirm("shrink", All(2), Listed("report 2")),
				Then: Events(Confirmed("shrink", Only(1), Listed("report 2"))),
			},
			{
				Name: "a late result of an older attempt still counts while the task is open",
				Given: shrinking(2,
					Lost("shrink", Only(1)), Scheduled("shrink", Only(1), Attempt(2)),
				),
				When: Confirm("shrink", Only(1), Wrote(1, "small")),
				Then: Events(Confirmed("shrink", Only(1), Wrote(1, "small"))),
			},
			{
				Name: "the newer attempt, when it comes after that, changes nothing",
				Given: shrinking(2,
					Lost("shrink", Only(1)), Scheduled("shrink", Only(1), Attempt(2)),
					Confirmed("shrink", Only(1), Wrote(1, "small")),
				),
				When: Confirm("shrink", Only(1), Attempt(2), Wrote(1, "small")),
				Then: Nothing,
			},
			{
				Name:  "a result of another generation of the step changes nothing",
				Given: shrinking(2),
				When:  Confirm("shrink", Only(1), Generation(1)),
				Then:  Nothing,
			},
			{
				Name: "a result that comes after the process has completed changes nothing",
				Given: shrinking(1,
					Confirmed("shrink", Only(0), Wrote(0, "small")), StepCompleted("shrink", List("small", 1)), ProcessCompleted(),
				),
				When:  Confirm("shrink", Only(0), Wrote(0, "small")),
				Then:  Nothing,
				Sends: []process.Effect{},
			},
			{
				Name: "a result that comes after the process has failed changes nothing",
				Given: shrinking(2,
					Failed("shrink", Only(0), Permanently()), ProcessFailed("shrink", 0, "out of luck"),
				),
				When: Confirm("shrink", Only(1), Wrote(1, "small")),
				Then: Nothing,
			},
		},
	}
}
