package aggregate

import (
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

// lenient is chain, whose first step tolerates one failure.
var lenient = lenientTo("lenient", definition.Tolerance{Count: 1})

// hundredth tolerates one failure in a hundred.
var hundredth = lenientTo("hundredth", definition.Tolerance{Percent: 1})

// carefree tolerates anything.
var carefree = lenientTo("carefree", definition.Tolerance{All: true})

func lenientTo(name string, t definition.Tolerance) definition.Definition {
	return define(name, names("photos"), names("framed"),
		step("shrink", each("photos"), writes("small"), tolerating(t)),
		step("frame", each("small"), writes("framed")),
	)
}

// lenientOneByOne is lenient with one photo at a time.
var lenientOneByOne = define("lenient-one-by-one", names("photos"), names("small"),
	step("shrink", each("photos"), writes("small"), tolerating(definition.Tolerance{Count: 1}), atMost(1)),
)

const (
	pointless = "failed for good: not a photo"
	oneTooFew = "more than the 1 task that may fail (tolerate: 1) have failed; this one " + pointless
)

// spoilt is a photo that failed for good, and that its step goes on without.
func spoilt(index int) []process.Event {
	return Events(
		Failed("shrink", Only(index), Permanently(), Because("not a photo")),
		Skipped("shrink", Only(index), pointless),
	)
}

func tolerance() Feature {
	return Feature{
		Name: "failures that a step tolerates",
		About: "`tolerate: N`, `1%` or `all` says how many tasks of a step may fail for good, whatever ended them: used up attempts, a " +
			"permanent failure, lost workers or timeouts. Such a task is skipped: its step goes on and completes without it, the result lists " +
			"it with the reason, and whoever reads what the step writes does not see it. One more than that fails the process. Nothing is " +
			"tolerated unless the step says so, and a merge never tolerates anything. A person can retry what was skipped.",
		Specs: []Spec{
			{
				Name:  "a task that fails for good is skipped, if the step tolerates it, and the others go on",
				Given: begun(lenient, 3),
				When:  Fail("shrink", Only(1), Permanently(), Because("not a photo")),
				Then:  spoilt(1),
				Sends: []process.Effect{},
			},
			{
				Name: "a task that has used up its attempts is skipped",
				Given: begun(lenient, 3,
					Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)), Scheduled("shrink", Only(1), Attempt(2)),
					Failed("shrink", Only(1), Attempt(2)), RetryPlanned("shrink", Only(1), Attempt(3), After(2*second)), Scheduled("shrink", Only(1), Attempt(3)),
				),
				When: Fail("shrink", Only(1), Attempt(3), Because("disk full")),
				Then: Events(
					Failed("shrink", Only(1), Attempt(3), Because("disk full")),
					Skipped("shrink", Only(1), "failed 3 times, the last time with: disk full", Attempt(3)),
				),
			},
			{
				Name:  "a task that kills its workers is skipped when its losses are used up",
				Given: lostFiveTimes(lenient),
				When:  Lose("shrink", Only(1), Attempt(6)),
				Then: Events(
					Lost("shrink", Only(1), Attempt(6)),
					Skipped("shrink", Only(1), "lost with its worker 6 times: it may be what kills them (memory?)", Attempt(6)),
				),
			},
			{
				Name: "a task that always runs too long is skipped",
				Given: begun(lenient, 3,
					TimedOut("shrink", 1), Scheduled("shrink", Only(1), Attempt(2)),
					TimedOut("shrink", 1, Attempt(2)), Scheduled("shrink", Only(1), Attempt(3)),
				),
				When: TryTimeout("shrink", 1, Attempt(3)),
				Then: Events(
					TimedOut("shrink", 1, Attempt(3)),
					Skipped("shrink", Only(1), "failed 3 times, the last time with: it ran longer than its timeout", Attempt(3)),
				),
			},
			{
				Name:  "the next step does not see what was skipped",
				Given: following(begun(lenient, 3, spoilt(1)...), Confirmed("shrink", Only(0), Wrote(0, "small"))),
				When:  Confirm("shrink", Only(2), Wrote(2, "small")),
				Then: Events(
					Confirmed("shrink", Only(2), Wrote(2, "small")),
					StepCompleted("shrink", List("small", 2)),
					StepStarted("frame", 2), Scheduled("frame", All(2)),
				),
			},
			{
				Name:  "a step completes with a skip as it does with a result",
				Given: begun(lenient, 3, Confirmed("shrink", Only(0, 2), WroteEach("small", Only(0, 2)))),
				When:  Fail("shrink", Only(1), Permanently(), Because("not a photo")),
				Then: following(spoilt(1),
					StepCompleted("shrink", List("small", 2)),
					StepStarted("frame", 2), Scheduled("frame", All(2)),
				),
			},
			{
				Name:  "one more than tolerated fails the process, with the reason",
				Given: begun(lenient, 3, spoilt(1)...),
				When:  Fail("shrink", Only(2), Permanently(), Because("not a photo")),
				Then: Events(
					Failed("shrink", Only(2), Permanently(), Because("not a photo")),
					ProcessFailed("shrink", 2, oneTooFew),
				),
				Sends: []process.Effect{process.Halt{}},
			},
			{
				Name:  "tasks that fail together beyond what is tolerated fail the process, and none of them is skipped",
				Given: begun(lenient, 3),
				When:  Fail("shrink", Only(0, 1), Permanently(), Because("not a photo")),
				Then: Events(
					Failed("shrink", Only(0, 1), Permanently(), Because("not a photo")),
					ProcessFailed("shrink", 0, oneTooFew),
				),
			},
			{
				Name:  "a share is a share of the step's tasks, rounded down: 1% of 250 are 2",
				Given: begun(hundredth, 250),
				When:  Fail("shrink", Only(7, 9), Permanently(), Because("not a photo")),
				Then: Events(
					Failed("shrink", Only(7, 9), Permanently(), Because("not a photo")),
					Skipped("shrink", Only(7, 9), pointless),
				),
			},
			{
				Name:  "of 250 tasks, 1% does not tolerate a third",
				Given: following(begun(hundredth, 250, spoilt(7)...), spoilt(9)...),
				When:  Fail("shrink", Only(11), Permanently(), Because("not a photo")),
				Then: Events(
					Failed("shrink", Only(11), Permanently(), Because("not a photo")),
					ProcessFailed("shrink", 11, "more than the 2 tasks that may fail (tolerate: 1%) have failed; this one "+pointless),
				),
			},
			{
				Name:  "of 99 tasks, 1% tolerates none",
				Given: begun(hundredth, 99),
				When:  Fail("shrink", Only(0), Permanently(), Because("not a photo")),
				Then: Events(
					Failed("shrink", Only(0), Permanently(), Because("not a photo")),
					ProcessFailed("shrink", 0, pointless),
				),
			},
			{
				Name:  "with tolerate: all a step may lose every task; what it writes is then an empty list, and the next step has no tasks",
				Given: begun(carefree, 2, spoilt(1)...),
				When:  Fail("shrink", Only(0), Permanently(), Because("not a photo")),
				Then: following(spoilt(0),
					StepCompleted("shrink", List("small", 0)),
					StepStarted("frame", 0), StepCompleted("frame", List("framed", 0)),
					ProcessCompleted(),
				),
			},
			{
				Name: "under parallelism, a skip makes room for the next task",
				Given: Events(
					Started(lenientOneByOne, Input("photos", 3)), StepStarted("shrink", 3), Scheduled("shrink", Only(0)),
				),
				When: Fail("shrink", Only(0), Permanently(), Because("not a photo")),
				Then: following(spoilt(0), Scheduled("shrink", Only(1))),
			},
			{
				Name:  "a late result of a skipped task changes nothing",
				Given: begun(lenient, 3, spoilt(1)...),
				When:  Confirm("shrink", Only(1), Wrote(1, "small")),
				Then:  Nothing,
			},
			{
				Name: "a merge is not tolerated to fail, whatever its step tolerates",
				Given: begun(carefree, 2,
					Confirmed("shrink", All(2), Listed("report 1")), StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", All(1)),
				),
				When: Fail("deed/seal/small", Only(0), Permanently(), Because("no space")),
				Then: Events(
					Failed("deed/seal/small", Only(0), Permanently(), Because("no space")),
					ProcessFailed("deed/seal/small", 0, "failed for good: no space"),
				),
			},
		},
	}
}

// lostFiveTimes is a process of three photos, one of which went down with its
// worker as often as it may.
func lostFiveTimes(def definition.Definition) []process.Event {
	events := begun(def, 3)
	for attempt := 1; attempt <= process.LossBudget; attempt++ {
		events = append(events, Lost("shrink", Only(1), Attempt(attempt)), Scheduled("shrink", Only(1), Attempt(attempt+1)))
	}
	return events
}
