package aggregate

import (
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

func reusing() Feature {
	return Feature{
		Name: "reuse of work",
		About: "`cache: true` lets a step take results of equal tasks that ran earlier, in whatever process: the same handler in the same " +
			"version, or the same program, with the same parameters and inputs. The shell looks for them; the core takes them like results, " +
			"and records where they come from.",
		Specs: []Spec{
			{
				Name:  "a result of an equal task is taken, and nobody executes the task",
				Given: shrinking(3),
				When:  Reuse("shrink", Only(0, 2), WroteEach("small", Only(0, 2)), Like(0, "yesterday"), Like(2, "yesterday")),
				Then:  Events(Reused("shrink", Only(0, 2), WroteEach("small", Only(0, 2)), Like(0, "yesterday"), Like(2, "yesterday"))),
				Sends: []process.Effect{},
			},
			{
				Name:  "a step completes with results that are its own and results that are not",
				Given: shrinking(2, Reused("shrink", Only(1), Wrote(1, "small"), Like(1, "yesterday"))),
				When:  Confirm("shrink", Only(0), Wrote(0, "small")),
				Then: Events(
					Confirmed("shrink", Only(0), Wrote(0, "small")), StepCompleted("shrink", List("small", 2)), ProcessCompleted(),
				),
			},
			{
				Name:  "a task that was done meanwhile is not reused",
				Given: shrinking(3, Confirmed("shrink", Only(0), Wrote(0, "small"))),
				When:  Reuse("shrink", Only(0, 1), WroteEach("small", Only(0, 1)), Like(0, "yesterday"), Like(1, "yesterday")),
				Then:  Events(Reused("shrink", Only(1), Wrote(1, "small"), Like(1, "yesterday"))),
			},
			{
				Name:  "a result that comes after a task was reused counts no second time",
				Given: shrinking(3, Reused("shrink", Only(1), Wrote(1, "small"), Like(1, "yesterday"))),
				When:  Confirm("shrink", Only(1), Wrote(1, "small")),
				Then:  Nothing,
			},
			{
				Name:  "what the step does not write is no result of an equal task",
				Given: shrinking(2),
				When:  Reuse("shrink", Only(1), Wrote(1, "large"), Like(1, "yesterday")),
				Fails: `shrink[1] wrote "large", which is not among its outputs`,
			},
		},
	}
}
