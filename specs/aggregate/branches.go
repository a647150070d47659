package aggregate

import . "github.com/deedrun/deed/specs"

var ordered = define("ordered", nil, nil,
	step("load"),
	step("report", after("load")),
)

func branches() Feature {
	return Feature{
		Name:  "branches and joins",
		About: "Steps that do not wait for each other run side by side. A step that reads from several waits for all of them. `after` orders steps that share no data.",
		Specs: []Spec{
			{
				Name: "independent branches start together",
				When: Start(diamond, Input("text", 1)),
				Then: Events(
					Started(diamond, Input("text", 1)),
					StepStarted("left", 1), Scheduled("left", All(1)),
					StepStarted("right", 1), Scheduled("right", All(1)),
				),
			},
			{
				Name: "a join does not start after the first branch",
				Given: Events(
					Started(diamond, Input("text", 1)),
					StepStarted("left", 1), Scheduled("left", All(1)),
					StepStarted("right", 1), Scheduled("right", All(1)),
				),
				When: Confirm("right", Only(0), Wrote(0, "r")),
				Then: Events(Confirmed("right", Only(0), Wrote(0, "r")), StepCompleted("right", List("r", 1))),
			},
			{
				Name: "a join starts after the last branch",
				Given: Events(
					Started(diamond, Input("text", 1)),
					StepStarted("left", 1), Scheduled("left", All(1)),
					StepStarted("right", 1), Scheduled("right", All(1)),
					Confirmed("right", Only(0), Wrote(0, "r")), StepCompleted("right", List("r", 1)),
				),
				When: Confirm("left", Only(0), Wrote(0, "l")),
				Then: Events(
					Confirmed("left", Only(0), Wrote(0, "l")), StepCompleted("left", List("l", 1)),
					StepStarted("join", 1), Scheduled("join", All(1)),
				),
			},
			{
				Name:  "a step waits for the steps that it comes after, though it reads nothing of theirs",
				Given: Events(Started(ordered), StepStarted("load", 1), Scheduled("load", All(1))),
				When:  Confirm("load", Only(0)),
				Then: Events(
					Confirmed("load", Only(0)), StepCompleted("load"),
					StepStarted("report", 1), Scheduled("report", All(1)),
				),
			},
			{
				Name: "the process completes when the last step has, whichever it is",
				Given: Events(
					Started(ordered), StepStarted("load", 1), Scheduled("load", All(1)), Confirmed("load", Only(0)), StepCompleted("load"),
					StepStarted("report", 1), Scheduled("report", All(1)),
				),
				When: Confirm("report", Only(0)),
				Then: Events(Confirmed("report", Only(0)), StepCompleted("report"), ProcessCompleted()),
			},
		},
	}
}
