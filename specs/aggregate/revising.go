package aggregate

import (
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

func revising() Feature {
	return Feature{
		Name: "another definition while it runs",
		About: "A process keeps the definition that it started with until a person gives it another: a new version of the file, or other " +
			"settings of a node. Settings (retries, timeout, parallelism, tolerance, deadline, pool, needs, rate, weight) take effect at once and for what comes. What has completed must " +
			"be as it was: the same work, on the same data, with the same parameters and files; otherwise the revision is refused with everything that speaks " +
			"against it. A step that is running and does something else now begins anew, as its next generation. Steps that have not started may be changed, added and taken out.",
		Specs: []Spec{
			{
				Name:  "a setting of one node is changed while it runs, and nothing begins anew",
				Given: framing(),
				When:  Revise(patientFrame, By("ada"), Because("the disk is slow")),
				Then:  Events(Revised(patientFrame, By("ada"), Because("the disk is slow"))),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{}},
					process.Enqueue{Address: "frame", Attempt: 1, Tasks: All(2)},
				},
			},
			{
				Name: "and holds for the next failure",
				Given: framing(
					TimedOut("frame", 0), Scheduled("frame", Only(0), Attempt(2)),
					TimedOut("frame", 0, Attempt(2)), Scheduled("frame", Only(0), Attempt(3)),
					Revised(patientFrame),
				),
				When: TryTimeout("frame", 0, Attempt(3)),
				Then: Events(TimedOut("frame", 0, Attempt(3)), Scheduled("frame", Only(0), Attempt(4))),
			},
			{
				Name:  "a higher parallelism schedules more at once",
				Given: throttledAt(),
				When:  Revise(limited(4)),
				Then:  Events(Revised(limited(4)), Scheduled("shrink", Only(2, 3))),
			},
			{
				Name:  "a lower one takes nothing back, but schedules nothing until there is room",
				Given: throttledAt(Revised(limited(1))),
				When:  Confirm("shrink", Only(0), Wrote(0, "small")),
				Then:  Events(Confirmed("shrink", Only(0), Wrote(0, "small"))),
			},
			{
				Name:  "a deadline that it did not have counts from its start",
				Given: shrinking(2),
				When:  Revise(hurried),
				Then:  Events(Revised(hurried)),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{}},
					process.SetDeadline{Due: noon(time.Hour)},
					process.Enqueue{Address: "shrink", Attempt: 1, Tasks: All(2)},
				},
			},
			{
				Name:  "a step that is added starts at once if what it reads is there",
				Given: framing(),
				When:  Revise(withIndex),
				Then:  Events(Revised(withIndex), StepStarted("index", 1), Scheduled("index", All(1))),
			},
			{
				Name:  "or waits for it",
				Given: begun(chain, 2),
				When:  Revise(withIndex),
				Then:  Events(Revised(withIndex)),
			},
			{
				Name:  "a step that has not started may do something else",
				Given: begun(chain, 2),
				When:  Revise(otherFrame),
				Then:  Events(Revised(otherFrame)),
			},
			{
				Name:  "a step that is running and does something else now begins anew",
				Given: framing(Confirmed("frame", Only(0), Wrote(0, "framed"))),
				When:  Revise(otherFrame),
				Then: Events(
					Revised(otherFrame, Anew("frame", 1)),
					StepStarted("frame", 2, Generation(1)), Scheduled("frame", All(2), Generation(1)),
				),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{"frame": 1, "deed/seal/framed": 1}},
					process.Enqueue{Address: "frame", Generation: 1, Attempt: 1, Tasks: All(2)},
				},
			},
			{
				Name:  "another secret makes nothing begin anew: what was done with the old one stays",
				Given: begun(secured("old"), 2, Confirmed("shrink", Only(0), Wrote(0, "small"))),
				When:  Revise(secured("new")),
				Then:  Events(Revised(secured("new"))),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{}},
					process.Enqueue{Address: "shrink", Attempt: 1, Tasks: Only(1)},
				},
			},
			{
				Name:  "another text in the environment is other work",
				Given: begun(secured("old"), 2, Confirmed("shrink", Only(0), Wrote(0, "small"))),
				When:  Revise(withText),
				Then: Events(
					Revised(withText, Anew("shrink", 1)),
					StepStarted("shrink", 2, Generation(1)), Scheduled("shrink", All(2), Generation(1)),
				),
			},
			{
				Name:  "a step that has completed must not do something else; the refusal says what differs",
				Given: framing(),
				When:  Revise(otherShrink),
				Fails: "it cannot go on with that definition: shrink has completed, and run is examples/shrink2 instead of examples/shrink",
			},
			{
				Name:  "a step that has completed must not be taken out",
				Given: framing(),
				When:  Revise(versioned("without shrink", define("chain", names("photos"), nil, step("frame", each("photos"))))),
				Fails: "shrink has completed, and it is not there any more",
			},
			{
				Name:  "a parameter must not change once a step has completed with it",
				Given: following(begun(withParam, 1), Confirmed("shrink", Only(0)), StepCompleted("shrink", List("small", 0)), StepStarted("frame", 0)),
				When:  Revise(otherParam),
				Fails: "shrink has completed, and parameter quality was 90 for it",
			},
			{
				Name:  "before that, the steps that run begin anew with it",
				Given: begun(withParam, 2),
				When:  Revise(otherParam),
				Then: following(Events(Revised(otherParam, Anew("shrink", 1))),
					shrinkAnew(1)...),
			},
			{
				Name:  "a file that has changed concerns the steps whose program names it",
				Given: following(begun(scripted, 2), Confirmed("shrink", All(2), WroteEach("small", All(2))), StepCompleted("shrink", List("small", 2)), StepStarted("frame", 2), Scheduled("frame", All(2))),
				When:  Revise(rescripted),
				Then: Events(
					Revised(rescripted, Anew("frame", 1)),
					StepStarted("frame", 2, Generation(1)), Scheduled("frame", All(2), Generation(1)),
				),
			},
			{
				Name:  "a name that comes from elsewhere now is something else, though the step that reads it is the same",
				Given: begun(chain, 2),
				When:  Revise(loaded),
				Then: Events(
					Revised(loaded, Anew("shrink", 1)),
					StepStarted("load", 1), Scheduled("load", All(1)),
				),
			},
			{
				Name:  "so it must not once that step has completed",
				Given: framing(),
				When:  Revise(loaded),
				Fails: "shrink has completed, and photos, which it reads, is written by load instead of an input",
			},
			{
				Name:  "a step that is taken out while it runs is stopped",
				Given: begun(withHash, 2, StepStarted("hash", 2), Scheduled("hash", All(2))),
				When:  Revise(withoutHash),
				Then:  Events(Revised(withoutHash)),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{"hash": 1, "deed/seal/digests": 1}},
					process.Enqueue{Address: "shrink", Attempt: 1, Tasks: All(2)},
				},
			},
			{
				Name:  "what it reports later changes nothing",
				Given: begun(withHash, 2, StepStarted("hash", 2), Scheduled("hash", All(2)), Revised(withoutHash)),
				When:  Confirm("hash", Only(0), Wrote(0, "digests")),
				Then:  Nothing,
			},
			{
				Name:  "if it is put back it begins as a further generation",
				Given: begun(withHash, 2, StepStarted("hash", 2), Scheduled("hash", All(2)), Revised(withoutHash)),
				When:  Revise(withHash),
				Then: Events(
					Revised(withHash),
					StepStarted("hash", 2, Generation(1)), Scheduled("hash", All(2), Generation(1)),
				),
			},
			{
				Name: "so that what it reported before is still told apart",
				Given: begun(withHash, 2, StepStarted("hash", 2), Scheduled("hash", All(2)), Revised(withoutHash),
					Revised(withHash), StepStarted("hash", 2, Generation(1)), Scheduled("hash", All(2), Generation(1))),
				When: Confirm("hash", Only(0), Wrote(0, "digests")),
				Then: Nothing,
			},
			{
				Name:  "a process from which all is taken out that was left completes",
				Given: framing(),
				When:  Revise(withoutLast),
				Then:  Events(Revised(withoutLast), ProcessCompleted()),
			},
			{
				Name:  "in a pause it completes when it is resumed",
				Given: framing(Paused(), Revised(withoutLast)),
				When:  Resume(),
				Then:  Events(Resumed(), ProcessCompleted()),
			},
			{
				Name:  "a merge is not handed to another step that writes the name now",
				Given: takenOver(),
				When:  Confirm("deed/seal/small", Only(0), Merged(2, 1)),
				Then:  Nothing,
			},
			{
				Name: "that step's own lists are merged as a further generation",
				Given: following(takenOver(),
					Confirmed("prepare", Only(0)), StepCompleted("prepare"), StepStarted("shrink2", 2), Scheduled("shrink2", All(2)),
				),
				When: Confirm("shrink2", All(2), Listed("report 2")),
				Then: Events(
					Confirmed("shrink2", All(2), Listed("report 2")),
					StepStarted("deed/seal/small", 1, Generation(1)), Scheduled("deed/seal/small", All(1), Generation(1)),
				),
			},
			{
				Name:  "a paused process stays paused",
				Given: throttledAt(Paused()),
				When:  Revise(limited(4)),
				Then:  Events(Revised(limited(4))),
			},
			{
				Name:  "a failed process stays failed, with the definition that its retry will go by",
				Given: begun(chain, 2, notAPhoto()...),
				When:  Revise(forgiving),
				Then:  Events(Revised(forgiving)),
				Sends: []process.Effect{process.Halt{Before: map[string]int{}}, process.Halt{}},
			},
			{
				Name:  "then the retry goes by it",
				Given: following(begun(chain, 2, notAPhoto()...), Revised(forgiving), Retried(Fresh("shrink", Only(1))), Scheduled("shrink", Only(1), Attempt(2))),
				When:  Fail("shrink", Only(1), Attempt(2), Permanently(), Because("not a photo")),
				Then: Events(
					Failed("shrink", Only(1), Attempt(2), Permanently(), Because("not a photo")),
					Skipped("shrink", Only(1), pointless, Attempt(2)),
				),
			},
			{
				Name: "a lower tolerance takes nothing back: what was skipped stays so",
				Given: following(begun(lenient, 2, spoilt(1)...),
					Revised(strict),
				),
				When: Confirm("shrink", Only(0), Wrote(0, "small")),
				Then: Events(
					Confirmed("shrink", Only(0), Wrote(0, "small")), StepCompleted("shrink", List("small", 1)),
					StepStarted("frame", 1), Scheduled("frame", All(1)),
				),
			},
			{
				Name: "a step that could not start at all does when it has been mended and retried",
				Given: Events(
					Started(albums, ListMerged("photos", 30_000, 20_000)),
					ProcessFailed("sheet", -1, "photos has 20000 distinct keys, and `each: photos by key` takes at most 10000; write `by key into N` to share them among N tasks"),
					Revised(sharedAlbums),
				),
				When: Retry("", nil),
				Then: Events(Retried(), StepStarted("sheet", 8), Scheduled("sheet", All(8))),
			},
			{
				Name:  "the definition that holds already changes nothing",
				Given: framing(),
				When:  Revise(chain),
				Then:  Nothing,
			},
			{
				Name:  "a revision that was made from another definition than the one that holds is refused",
				Given: begun(chain, 2, Revised(patientFrame)),
				When:  basedOn(chain, otherFrame),
				Fails: "its definition was changed meanwhile; look at it and ask again",
			},
			{
				Name:  "a completed process is not revised, and the refusal says what to do",
				Given: framing(Confirmed("frame", All(2), WroteEach("framed", All(2))), StepCompleted("frame", List("framed", 2)), ProcessCompleted()),
				When:  Revise(patientFrame),
				Fails: "it has completed with the definition it has; start a new process with the other one, or restart it from a step first",
			},
			{
				Name:  "an input that was not given when it started is refused",
				Given: begun(chain, 2),
				When:  Revise(moreInputs),
				Fails: `input "frames" was not given when it started`,
			},
			{
				Name:  "a definition that could not be started is refused",
				Given: begun(chain, 2),
				When:  Revise(versioned("where frame reads nothing", define("chain", names("photos"), nil, step("frame", reads("nothing"))))),
				Fails: `step "frame" reads "nothing", which nothing writes`,
			},
			{
				Name:  "to start it again with what it was revised to changes nothing",
				Given: begun(chain, 2, Revised(patientFrame)),
				When:  Start(patientFrame, Input("photos", 2)),
				Then:  Nothing,
			},
			{
				Name:  "nor does it to start it again with what it began with",
				Given: begun(chain, 2, Revised(patientFrame)),
				When:  Start(chain, Input("photos", 2)),
				Then:  Nothing,
			},
		},
	}
}
