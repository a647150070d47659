package aggregate

import . "github.com/deedrun/deed/specs"

func fanOut() Feature {
	return Feature{
		Name: "fan-out, one step after the other",
		About: "A step with `each` has one task a part. What it writes is sealed when its last task is confirmed; only then do the " +
			"steps start that read it. A step that fans out over nothing completes at once.",
		Specs: []Spec{
			{
				Name:  "a result of one task confirms that task and no more",
				Given: shrinking(3),
				When:  Confirm("shrink", Only(1), Wrote(1, "small")),
				Then:  Events(Confirmed("shrink", Only(1), Wrote(1, "small"))),
			},
			{
				Name: "the last confirmation seals what the step wrote, and the next step starts",
				Given: begun(wordCount, 3,
					Confirmed("count", Only(0, 2), Wrote(0, "partial", "a"), Wrote(2, "partial", "b")),
				),
				When: Confirm("count", Only(1), Wrote(1, "partial", "a")),
				Then: Events(
					Confirmed("count", Only(1), Wrote(1, "partial", "a")),
					StepCompleted("count", ListKeyed("partial", 3, 2)),
					StepStarted("merge", 2),
					Scheduled("merge", All(2)),
				),
			},
			{
				Name:  "results of many tasks may come as one",
				Given: shrinking(3),
				When:  Confirm("shrink", All(3), Wrote(0, "small"), Wrote(1, "small"), Wrote(2, "small")),
				Then: Events(
					Confirmed("shrink", All(3), Wrote(0, "small"), Wrote(1, "small"), Wrote(2, "small")),
					StepCompleted("shrink", List("small", 3)),
					ProcessCompleted(),
				),
			},
			{
				Name: "a fan-out over an empty list completes at once, and so does the process",
				When: Start(resize, Input("photos", 0)),
				Then: Events(
					Started(resize, Input("photos", 0)),
					StepStarted("shrink", 0),
					StepCompleted("shrink", List("small", 0)),
					ProcessCompleted(),
				),
			},
			{
				Name: "a chain of fan-outs over nothing completes as a whole, each step once",
				When: Start(chain, Input("photos", 0)),
				Then: Events(
					Started(chain, Input("photos", 0)),
					StepStarted("shrink", 0), StepCompleted("shrink", List("small", 0)),
					StepStarted("frame", 0), StepCompleted("frame", List("framed", 0)),
					ProcessCompleted(),
				),
			},
			{
				Name:  "a step without each is one task, also when what it reads is empty",
				Given: begun(wordCount, 1),
				When:  Confirm("count", Only(0)),
				Then: Events(
					Confirmed("count", Only(0)),
					StepCompleted("count", List("partial", 0)),
					StepStarted("merge", 0),
					StepCompleted("merge", List("totals", 0)),
					StepStarted("top", 1),
					Scheduled("top", All(1)),
				),
			},
			{
				Name:  "a result with a part for a name that the step does not write is a failure for good",
				Given: shrinking(1),
				When:  Confirm("shrink", Only(0), Wrote(0, "large")),
				Then: Events(
					Failed("shrink", Only(0), Permanently(), Because(`shrink[0] wrote "large", which is not among its outputs`)),
					ProcessFailed("shrink", 0, `failed for good: shrink[0] wrote "large", which is not among its outputs`),
				),
			},
			{
				Name:  "a result for a task that was never scheduled is refused",
				Given: shrinking(1),
				When:  Confirm("shrink", Only(7)),
				Fails: `"shrink" has no scheduled tasks 7`,
			},
			{
				Name:  "a result for a step that does not exist is refused",
				Given: shrinking(1),
				When:  Confirm("enlarge", Only(0)),
				Fails: `has no step "enlarge"`,
			},
		},
	}
}
