package aggregate

import (
	"fmt"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

// atATime is a process of two steps side by side, and one that follows from the
// first, of which so many tasks may be open together.
func atATime(n int, shrink ...func(*definition.Step)) definition.Definition {
	d := define(fmt.Sprintf("%d-at-a-time", n), names("photos"), names("framed", "tags"),
		step("shrink", append(shrink, each("photos"), writes("small"))...),
		step("tag", each("photos"), writes("tags")),
		step("frame", each("small"), writes("framed")),
	)
	d.Parallelism = n
	return versioned(fmt.Sprintf("with parallelism %d", n), d)
}

// oneShrunk is four at a time, of which shrink may have one.
var oneShrunk = func() definition.Definition {
	d := atATime(4, atMost(1))
	d.Name += "-and-1-shrunk"
	return d
}()

// four is four at a time of five photos, begun.
func four(then ...process.Event) []process.Event {
	return following(Events(
		Started(atATime(4), Input("photos", 5)), StepStarted("shrink", 5), StepStarted("tag", 5),
		Scheduled("shrink", All(2)), Scheduled("tag", All(2)),
	), then...)
}

func parallelismOfAll() Feature {
	return Feature{
		Name: "parallelism of the process",
		About: "`parallelism: n` of a process is a rule of the aggregate too: no more than n tasks of all its steps are open at a time. A place that is free goes to " +
			"the step that has the fewest tasks open, of several such to the first one in the file; so steps that run side by side share the room equally, and what " +
			"one does not want the others have. The parallelism of a step holds beside it. A task that waits for a retry keeps its place, what a person retries does not wait for " +
			"one, and merges need none.",
		Specs: []Spec{
			{
				Name: "steps that begin together share the room",
				When: Start(atATime(4), Input("photos", 5)),
				Then: four(),
			},
			{
				Name: "the odd place goes to the first step in the file",
				When: Start(atATime(3), Input("photos", 5)),
				Then: Events(
					Started(atATime(3), Input("photos", 5)), StepStarted("shrink", 5), StepStarted("tag", 5),
					Scheduled("shrink", All(2)), Scheduled("tag", Only(0)),
				),
			},
			{
				Name: "what a step's own parallelism keeps it from taking, the others have",
				When: Start(oneShrunk, Input("photos", 5)),
				Then: Events(
					Started(oneShrunk, Input("photos", 5)), StepStarted("shrink", 5), StepStarted("tag", 5),
					Scheduled("shrink", Only(0)), Scheduled("tag", All(3)),
				),
			},
			{
				Name:  "a result makes room, for the step that has the fewest tasks open",
				Given: four(),
				When:  Confirm("tag", Only(1), Wrote(1, "tags")),
				Then:  Events(Confirmed("tag", Only(1), Wrote(1, "tags")), Scheduled("tag", Only(2))),
			},
			{
				Name:  "the same result again makes none",
				Given: four(Confirmed("tag", Only(1), Wrote(1, "tags")), Scheduled("tag", Only(2))),
				When:  Confirm("tag", Only(1), Wrote(1, "tags")),
				Then:  Nothing,
			},
			{
				Name: "a step that begins when another ends takes its share",
				Given: Events(
					Started(atATime(3), Input("photos", 2)), StepStarted("shrink", 2), StepStarted("tag", 2),
					Scheduled("shrink", All(2)), Scheduled("tag", Only(0)),
				),
				When: Confirm("shrink", All(2), WroteEach("small", All(2))),
				Then: Events(
					Confirmed("shrink", All(2), WroteEach("small", All(2))), StepCompleted("shrink", List("small", 2)), StepStarted("frame", 2),
					Scheduled("tag", Only(1)), Scheduled("frame", Only(0)),
				),
			},
			{
				Name:  "a failure makes no room: the task keeps its place while it waits",
				Given: four(),
				When:  Fail("tag", Only(1)),
				Then:  Events(Failed("tag", Only(1)), RetryPlanned("tag", Only(1), Attempt(2), After(second))),
			},
			{
				Name:  "nor does a loss",
				Given: four(),
				When:  Lose("tag", Only(1)),
				Then:  Events(Lost("tag", Only(1)), Scheduled("tag", Only(1), Attempt(2))),
			},
			{
				Name: "a task that is skipped makes room",
				Given: Events(
					Started(atATime(1, tolerating(definition.Tolerance{Count: 1})), Input("photos", 2)), StepStarted("shrink", 2), StepStarted("tag", 2),
					Scheduled("shrink", Only(0)),
				),
				When: Fail("shrink", Only(0), Permanently(), Because("not a photo")),
				Then: following(spoilt(0), Scheduled("shrink", Only(1))),
			},
			{
				Name: "what a person retries does not wait for room",
				Given: following(Events(
					Started(atATime(1, tolerating(definition.Tolerance{Count: 1})), Input("photos", 2)), StepStarted("shrink", 2), StepStarted("tag", 2),
					Scheduled("shrink", Only(0)),
				), append(spoilt(0), Scheduled("shrink", Only(1)))...),
				When: Retry("shrink", Only(0)),
				Then: Events(Retried(Fresh("shrink", Only(0))), Scheduled("shrink", Only(0), Attempt(2))),
			},
			{
				Name:  "in a pause a result makes no room; at its end all that there is is given away",
				Given: four(Paused(), Confirmed("tag", All(2), WroteEach("tags", All(2))), Confirmed("shrink", Only(0), Wrote(0, "small"))),
				When:  Resume(),
				Then:  Events(Resumed(), Scheduled("shrink", Only(2)), Scheduled("tag", Only(2, 3))),
				Sends: []process.Effect{
					process.Enqueue{Address: "shrink", Attempt: 1, Tasks: Only(1)},
					process.Enqueue{Address: "shrink", Attempt: 1, Tasks: Only(2)},
					process.Enqueue{Address: "tag", Attempt: 1, Tasks: Only(2, 3)},
				},
			},
			{
				Name:  "a step that is restarted gives up its places, and has its share of them again",
				Given: four(Confirmed("shrink", Only(0), Wrote(0, "small")), Scheduled("shrink", Only(2))),
				When:  Restart("shrink"),
				Then: Events(
					Restarted("shrink", Anew("shrink", 1)), StepStarted("shrink", 5, Generation(1)), Scheduled("shrink", All(2), Generation(1)),
				),
			},
			{
				Name:  "a higher parallelism of the process schedules more at once",
				Given: four(),
				When:  Revise(atATime(7)),
				Then:  Events(Revised(atATime(7)), Scheduled("shrink", Only(2, 3)), Scheduled("tag", Only(2))),
			},
			{
				Name:  "without one, all that waits for room is scheduled",
				Given: four(),
				When:  Revise(atATime(0)),
				Then:  Events(Revised(atATime(0)), Scheduled("shrink", Only(2, 3, 4)), Scheduled("tag", Only(2, 3, 4))),
			},
			{
				Name:  "a lower parallelism of the process takes nothing back, but schedules nothing until there is room",
				Given: four(Revised(atATime(2))),
				When:  Confirm("shrink", All(2), WroteEach("small", All(2))),
				Then:  Events(Confirmed("shrink", All(2), WroteEach("small", All(2)))),
			},
			{
				Name: "a merge needs no place",
				Given: Events(
					Started(atATime(1), Input("photos", 1)), StepStarted("shrink", 1), StepStarted("tag", 1), Scheduled("shrink", Only(0)),
				),
				When: Confirm("shrink", Only(0), Listed("report 1")),
				Then: Events(
					Confirmed("shrink", Only(0), Listed("report 1")),
					StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", Only(0)), Scheduled("tag", Only(0)),
				),
			},
		},
	}
}
