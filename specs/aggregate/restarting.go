package aggregate

import (
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

func restarting() Feature {
	return Feature{
		Name: "restarting from a step",
		About: "A process can be restarted from any step, or group of steps, whatever became of it. That step and everything downstream of it begin anew as their next " +
			"generation; everything else is kept and used again, as it is. The generation is part of a task's name, so results of the older " +
			"one, which may still come, are told apart and change nothing. Blobs are never overwritten.",
		Specs: []Spec{
			{
				Name:  "a word count restarted from its first step runs again as a whole",
				Given: wordsCounted(),
				When:  Restart("count", By("ada"), Because("another alphabet")),
				Then: Events(
					Restarted("count", Anew("count", 1), Anew("merge", 1), Anew("top", 1), By("ada"), Because("another alphabet")),
					StepStarted("count", 2, Generation(1)), Scheduled("count", All(2), Generation(1)),
				),
			},
			{
				Name:  "restarted from the middle, what the first step wrote is used again",
				Given: wordsCounted(),
				When:  Restart("merge"),
				Then: Events(
					Restarted("merge", Anew("merge", 1), Anew("top", 1)),
					StepStarted("merge", 2, Generation(1)), Scheduled("merge", All(2), Generation(1)),
				),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{"merge": 1, "deed/seal/totals": 1, "top": 1, "deed/seal/counts": 1}},
					process.Enqueue{Address: "merge", Generation: 1, Attempt: 1, Tasks: All(2)},
				},
			},
			{
				Name:  "restarted from the last step, only that runs",
				Given: wordsCounted(),
				When:  Restart("top"),
				Then: Events(
					Restarted("top", Anew("top", 1)),
					StepStarted("top", 1, Generation(1)), Scheduled("top", All(1), Generation(1)),
				),
			},
			{
				Name: "and the process completes once more with it",
				Given: following(wordsCounted(),
					Restarted("top", Anew("top", 1)), StepStarted("top", 1, Generation(1)), Scheduled("top", All(1), Generation(1)),
				),
				When: Confirm("top", Only(0), Generation(1), Wrote(0, "counts")),
				Then: Events(
					Confirmed("top", Only(0), Generation(1), Wrote(0, "counts")),
					StepCompletedAgain(1, "top", List("counts", 1)), ProcessCompleted(),
				),
			},
			{
				Name:  "of two branches only the one that was restarted runs again, and then the join",
				Given: joined(),
				When:  Restart("left"),
				Then: Events(
					Restarted("left", Anew("left", 1), Anew("join", 1)),
					StepStarted("left", 1, Generation(1)), Scheduled("left", All(1), Generation(1)),
				),
			},
			{
				Name: "the join reads what the other branch wrote before",
				Given: following(joined(),
					Restarted("left", Anew("left", 1), Anew("join", 1)), StepStarted("left", 1, Generation(1)), Scheduled("left", All(1), Generation(1)),
				),
				When: Confirm("left", Only(0), Generation(1), Wrote(0, "l")),
				Then: Events(
					Confirmed("left", Only(0), Generation(1), Wrote(0, "l")), StepCompletedAgain(1, "left", List("l", 1)),
					StepStarted("join", 1, Generation(1)), Scheduled("join", All(1), Generation(1)),
				),
			},
			{
				Name:  "the other branch alone can be restarted just so",
				Given: joined(),
				When:  Restart("right"),
				Then: Events(
					Restarted("right", Anew("right", 1), Anew("join", 1)),
					StepStarted("right", 1, Generation(1)), Scheduled("right", All(1), Generation(1)),
				),
			},
			{
				Name:  "restarted from the join, both branches are used again",
				Given: joined(),
				When:  Restart("join"),
				Then: Events(
					Restarted("join", Anew("join", 1)),
					StepStarted("join", 1, Generation(1)), Scheduled("join", All(1), Generation(1)),
				),
			},
			{
				Name: "a group is restarted with all its steps",
				Given: begun(grouped, 2,
					Confirmed("clean/crop", All(2), WroteEach("cropped", All(2))), StepCompleted("clean/crop", List("cropped", 2)),
					StepStarted("clean/sort", 1), Scheduled("clean/sort", All(1)),
				),
				When: Restart("clean"),
				Then: Events(
					Restarted("clean", Anew("clean/crop", 1), Anew("clean/sort", 1)),
					StepStarted("clean/crop", 2, Generation(1)), Scheduled("clean/crop", All(2), Generation(1)),
				),
			},
			{
				Name:  "a step that runs begins anew, and what runs of it is stopped",
				Given: shrinking(2, Confirmed("shrink", Only(0), Wrote(0, "small"))),
				When:  Restart("shrink"),
				Then:  following(Events(Restarted("shrink", Anew("shrink", 1))), shrinkAnew(1)...),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{"shrink": 1, "deed/seal/small": 1}},
					process.Enqueue{Address: "shrink", Generation: 1, Attempt: 1, Tasks: All(2)},
				},
			},
			{
				Name:  "other steps that run go on: their tasks are sent again, in case they were still on the queue",
				Given: branched(),
				When:  Restart("left"),
				Then: Events(
					Restarted("left", Anew("left", 1)),
					StepStarted("left", 1, Generation(1)), Scheduled("left", All(1), Generation(1)),
				),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{"left": 1, "deed/seal/l": 1}},
					process.Enqueue{Address: "right", Attempt: 1, Tasks: All(1)},
					process.Enqueue{Address: "left", Generation: 1, Attempt: 1, Tasks: All(1)},
				},
			},
			{
				Name:  "a late result of the older generation changes nothing",
				Given: restartedShrink(),
				When:  Confirm("shrink", Only(1), Wrote(1, "small")),
				Then:  Nothing,
			},
			{
				Name:  "nor does a late failure",
				Given: restartedShrink(),
				When:  Fail("shrink", Only(1), Permanently()),
				Then:  Nothing,
			},
			{
				Name:  "nor a late loss",
				Given: restartedShrink(),
				When:  Lose("shrink", Only(1)),
				Then:  Nothing,
			},
			{
				Name:  "nor a question about a timeout",
				Given: restartedShrink(),
				When:  TryTimeout("shrink", 1),
				Then:  Nothing,
			},
			{
				Name: "nor the timer of a retry that was planned before",
				Given: following(shrinking(2, Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second))),
					following(Events(Restarted("shrink", Anew("shrink", 1))), shrinkAnew(1)...)...),
				When: Fire("shrink", Only(1), Attempt(2)),
				Then: Nothing,
			},
			{
				Name:  "a restart of a restart is another generation",
				Given: restartedShrink(Confirmed("shrink", Only(0), Generation(1), Wrote(0, "small"))),
				When:  Restart("shrink"),
				Then:  following(Events(Restarted("shrink", Anew("shrink", 2))), shrinkAnew(2)...),
			},
			{
				Name: "a step that was to begin anew and has not yet needs no further generation",
				Given: following(wordsCounted(),
					Restarted("count", Anew("count", 1), Anew("merge", 1), Anew("top", 1)),
					StepStarted("count", 2, Generation(1)), Scheduled("count", All(2), Generation(1)),
				),
				When: Restart("count"),
				Then: Events(
					Restarted("count", Anew("count", 2)),
					StepStarted("count", 2, Generation(2)), Scheduled("count", All(2), Generation(2)),
				),
			},
			{
				Name:  "a failed process is restarted",
				Given: shrinking(2, notAPhoto()...),
				When:  Restart("shrink"),
				Then:  following(Events(Restarted("shrink", Anew("shrink", 1))), shrinkAnew(1)...),
			},
			{
				Name: "what had failed elsewhere in it gets a fresh budget, since it could not end otherwise",
				Given: branched(
					Confirmed("right", Only(0), Wrote(0, "r")), StepCompleted("right", List("r", 1)),
					Failed("left", Only(0), Permanently()), ProcessFailed("left", 0, pointless),
				),
				When: Restart("right"),
				Then: Events(
					Restarted("right", Anew("right", 1), Fresh("left", Only(0))),
					Scheduled("left", Only(0), Attempt(2)),
					StepStarted("right", 1, Generation(1)), Scheduled("right", All(1), Generation(1)),
				),
			},
			{
				Name:  "a cancelled process is restarted",
				Given: shrinking(2, Cancelled()),
				When:  Restart("shrink"),
				Then:  following(Events(Restarted("shrink", Anew("shrink", 1))), shrinkAnew(1)...),
			},
			{
				Name:  "a paused process stays paused: the step begins when it is resumed",
				Given: shrinking(2, Paused()),
				When:  Restart("shrink"),
				Then:  Events(Restarted("shrink", Anew("shrink", 1))),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{"shrink": 1, "deed/seal/small": 1}},
					process.Withhold{},
				},
			},
			{
				Name:  "and then it does",
				Given: shrinking(2, Paused(), Restarted("shrink", Anew("shrink", 1))),
				When:  Resume(),
				Then:  following(Events(Resumed()), shrinkAnew(1)...),
			},
			{
				Name: "a step whose lists are being merged begins anew, and so does the merge",
				Given: shrinking(2,
					Confirmed("shrink", All(2), Listed("report 1")), StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", All(1)),
					Restarted("shrink", Anew("shrink", 1)), StepStarted("shrink", 2, Generation(1)), Scheduled("shrink", All(2), Generation(1)),
				),
				When: Confirm("shrink", All(2), Generation(1), Listed("report 2")),
				Then: Events(
					Confirmed("shrink", All(2), Generation(1), Listed("report 2")),
					StepStarted("deed/seal/small", 1, Generation(1)), Scheduled("deed/seal/small", All(1), Generation(1)),
				),
			},
			{
				Name: "a result of the merge of before changes nothing",
				Given: shrinking(2,
					Confirmed("shrink", All(2), Listed("report 1")), StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", All(1)),
					Restarted("shrink", Anew("shrink", 1)), StepStarted("shrink", 2, Generation(1)), Scheduled("shrink", All(2), Generation(1)),
					Confirmed("shrink", All(2), Generation(1), Listed("report 2")),
					StepStarted("deed/seal/small", 1, Generation(1)), Scheduled("deed/seal/small", All(1), Generation(1)),
				),
				When: Confirm("deed/seal/small", Only(0), Merged(2, 1)),
				Then: Nothing,
			},
			{
				Name:  "the same restart sent again changes nothing",
				Given: following(shrinking(2), following(Events(Restarted("shrink", Anew("shrink", 1), Command("ada 1"))), shrinkAnew(1)...)...),
				When:  Restart("shrink", Command("ada 1")),
				Then:  Nothing,
			},
			{
				Name:  "a step that has not started yet is not restarted",
				Given: begun(chain, 2),
				When:  Restart("frame"),
				Fails: "frame has not started yet: there is nothing to restart",
			},
			{
				Name:  "an address that does not exist is refused with the one that was meant, perhaps",
				Given: wordsCounted(),
				When:  Restart("conut"),
				Fails: `it has no step "conut"; did you mean "count"?`,
			},
			{
				Name:  "or with those that there are",
				Given: wordsCounted(),
				When:  Restart("photographs"),
				Fails: `it has no step "photographs"; its steps are count, merge, top`,
			},
		},
	}
}
