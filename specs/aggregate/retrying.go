package aggregate

import (
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

func retrying() Feature {
	return Feature{
		Name: "retrying by hand",
		About: "A person may give tasks that failed for good, or were skipped, a fresh budget of attempts and losses: all of them, those of a step, or single ones. They are scheduled again " +
			"at once, as a further attempt. A process that had ended goes on, and then whatever else had failed in it is retried too, since " +
			"it could not end otherwise. A task that waits for its retry need not wait longer. If a step has completed without the task, it goes " +
			"back as its next generation, keeping what was confirmed, and the steps that read what it wrote begin anew.",
		Specs: []Spec{
			{
				Name:  "a failed process goes on: what failed gets a fresh budget, what was open is sent again",
				Given: shrinking(2, notAPhoto()...),
				When:  Retry("", nil, By("ada"), Because("it is one now")),
				Then: Events(
					Retried(Fresh("shrink", Only(1)), By("ada"), Because("it is one now")),
					Scheduled("shrink", Only(1), Attempt(2)),
				),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{}},
					process.Enqueue{Address: "shrink", Attempt: 1, Tasks: Only(0)},
					process.SetTimer{Due: noon(0), Address: "shrink", Attempt: 2, Tasks: Only(1)},
					process.Enqueue{Address: "shrink", Attempt: 2, Tasks: Only(1)},
				},
			},
			{
				Name: "a fresh budget is a whole one",
				Given: shrinking(2,
					Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)), Scheduled("shrink", Only(1), Attempt(2)),
					Failed("shrink", Only(1), Attempt(2)), RetryPlanned("shrink", Only(1), Attempt(3), After(2*second)), Scheduled("shrink", Only(1), Attempt(3)),
					Failed("shrink", Only(1), Attempt(3)), ProcessFailed("shrink", 1, "failed 3 times, the last time with: out of luck", Attempt(3)),
					Retried(Fresh("shrink", Only(1))), Scheduled("shrink", Only(1), Attempt(4)),
				),
				When: Fail("shrink", Only(1), Attempt(4)),
				Then: Events(Failed("shrink", Only(1), Attempt(4)), RetryPlanned("shrink", Only(1), Attempt(5), After(second))),
			},
			{
				Name: "so is the one for losses",
				Given: following(lostFiveTimes(resize),
					Lost("shrink", Only(1), Attempt(6)), ProcessFailed("shrink", 1, "lost with its worker 6 times: it may be what kills them (memory?)", Attempt(6)),
					Retried(Fresh("shrink", Only(1))), Scheduled("shrink", Only(1), Attempt(7)),
				),
				When: Lose("shrink", Only(1), Attempt(7)),
				Then: Events(Lost("shrink", Only(1), Attempt(7)), Scheduled("shrink", Only(1), Attempt(8))),
			},
			{
				Name: "whatever else had failed in an ended process comes along",
				Given: shrinking(4,
					Failed("shrink", Only(1, 2), Permanently()), ProcessFailed("shrink", 1, pointless),
				),
				When: Retry("shrink", Only(1)),
				Then: Events(Retried(Fresh("shrink", Only(1, 2))), Scheduled("shrink", Only(1, 2), Attempt(2))),
			},
			{
				Name:  "a task that waits for its retry is tried now",
				Given: shrinking(2, Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(time.Hour))),
				When:  Retry("shrink", Only(1)),
				Then:  Events(Retried(Fresh("shrink", Only(1))), Scheduled("shrink", Only(1), Attempt(2))),
			},
			{
				Name: "the timer that it waited for then changes nothing",
				Given: shrinking(2,
					Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(time.Hour)),
					Retried(Fresh("shrink", Only(1))), Scheduled("shrink", Only(1), Attempt(2)),
				),
				When: Fire("shrink", Only(1), Attempt(2)),
				Then: Nothing,
			},
			{
				Name:  "in a pause, a retry waits for its end",
				Given: shrinking(2, Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(time.Hour)), Paused()),
				When:  Retry("shrink", Only(1)),
				Then:  Events(Retried(Fresh("shrink", Only(1)))),
			},
			{
				Name:  "a task that its running step had skipped is open again",
				Given: begun(lenient, 3, spoilt(1)...),
				When:  Retry("shrink", Only(1)),
				Then:  Events(Retried(Fresh("shrink", Only(1))), Scheduled("shrink", Only(1), Attempt(2))),
			},
			{
				Name: "and the next that fails is tolerated in its place",
				Given: following(begun(lenient, 3, spoilt(1)...),
					Retried(Fresh("shrink", Only(1))), Scheduled("shrink", Only(1), Attempt(2)),
				),
				When: Fail("shrink", Only(2), Permanently(), Because("not a photo")),
				Then: spoilt(2),
			},
			{
				Name:  "a step that has completed without the task goes back for it, and the steps after it begin anew",
				Given: skippedLongAgo(),
				When:  Retry("shrink", Only(1)),
				Then: Events(
					Retried(Anew("frame", 1), Kept("shrink", 1), Fresh("shrink", Only(1), 1)),
					Scheduled("shrink", Only(1), Attempt(2), Generation(1)),
				),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{"frame": 1, "deed/seal/framed": 1, "shrink": 1, "deed/seal/small": 1}},
					process.SetTimer{Due: noon(0), Address: "shrink", Generation: 1, Attempt: 2, Tasks: Only(1)},
					process.Enqueue{Address: "shrink", Generation: 1, Attempt: 2, Tasks: Only(1)},
				},
			},
			{
				Name:  "when that task is done, its step completes with all there is, and the next one has a task more",
				Given: wentBack(),
				When:  Confirm("shrink", Only(1), Attempt(2), Generation(1), Wrote(1, "small")),
				Then: Events(
					Confirmed("shrink", Only(1), Attempt(2), Generation(1), Wrote(1, "small")),
					StepCompletedAgain(1, "shrink", List("small", 3)),
					StepStarted("frame", 3, Generation(1)), Scheduled("frame", All(3), Generation(1)),
				),
			},
			{
				Name:  "a result that the next step's tasks of before bring changes nothing",
				Given: wentBack(),
				When:  Confirm("frame", Only(0), Wrote(0, "framed")),
				Then:  Nothing,
			},
			{
				Name: "a task that a completed process went on without makes it run again",
				Given: following(skippedLongAgo(),
					Confirmed("frame", All(2), WroteEach("framed", All(2))), StepCompleted("frame", List("framed", 2)), ProcessCompleted(),
				),
				When: Retry("shrink", nil),
				Then: Events(
					Retried(Anew("frame", 1), Kept("shrink", 1), Fresh("shrink", Only(1), 1)),
					Scheduled("shrink", Only(1), Attempt(2), Generation(1)),
				),
			},
			{
				Name:  "it has to be asked for: a retry of whatever failed does not go back further than it must, but tells of it",
				Given: skippedLongAgo(),
				When:  Retry("", nil),
				Fails: "nothing has failed: there is nothing to retry; 1 task of shrink had been skipped: retry shrink to go back for them",
			},
			{
				Name:  "while the lists of a step are merged, it goes back too, and they are merged anew when it is done",
				Given: skippedWhileMerging(),
				When:  Retry("shrink", nil),
				Then: Events(
					Retried(Kept("shrink", 1), Fresh("shrink", Only(1), 1)),
					Scheduled("shrink", Only(1), Attempt(2), Generation(1)),
				),
			},
			{
				Name: "a merge that failed is part of that",
				Given: skippedWhileMerging(
					Failed("deed/seal/small", Only(0), Permanently()), ProcessFailed("deed/seal/small", 0, pointless),
				),
				When: Retry("shrink", nil),
				Then: Events(
					Retried(Kept("shrink", 1), Fresh("shrink", Only(1), 1)),
					Scheduled("shrink", Only(1), Attempt(2), Generation(1)),
				),
			},
			{
				Name: "a merge that failed is retried like any other task",
				Given: shrinking(3,
					Confirmed("shrink", All(3), Listed("report 1")), StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", All(1)),
					Failed("deed/seal/small", Only(0), Permanently()), ProcessFailed("deed/seal/small", 0, pointless),
				),
				When: Retry("", nil),
				Then: Events(Retried(Fresh("deed/seal/small", Only(0))), Scheduled("deed/seal/small", Only(0), Attempt(2))),
			},
			{
				Name:  "the same retry sent again changes nothing, also when its effect is over",
				Given: following(shrinking(2, notAPhoto()...), Retried(Fresh("shrink", Only(1)), Command("ada 1")), Scheduled("shrink", Only(1), Attempt(2)), Failed("shrink", Only(1), Attempt(2), Permanently()), ProcessFailed("shrink", 1, pointless, Attempt(2))),
				When:  Retry("", nil, Command("ada 1")),
				Then:  Nothing,
			},
			{
				Name:  "to retry is refused where nothing has failed",
				Given: shrinking(2),
				When:  Retry("", nil),
				Fails: "nothing has failed: there is nothing to retry",
			},
			{
				Name:  "a task that is under way is not retried",
				Given: shrinking(2),
				When:  Retry("shrink", Only(1)),
				Fails: "shrink[1] is under way, at attempt 1",
			},
			{
				Name:  "a task that was under way when the process ended has not failed, and the refusal says what to do",
				Given: shrinking(2, notAPhoto()...),
				When:  Retry("shrink", Only(0)),
				Fails: "shrink[0] had not failed when it ended; retry without naming tasks, and whatever was under way goes on",
			},
			{
				Name:  "a task that is done is not retried, and the refusal says what to do",
				Given: shrinking(2, Confirmed("shrink", Only(1), Wrote(1, "small"))),
				When:  Retry("shrink", Only(1)),
				Fails: "shrink[1] is done; to run its step again, restart the process from shrink",
			},
			{
				Name:  "a task that has not been scheduled yet is not retried",
				Given: Events(Started(throttled, Input("photos", 5)), StepStarted("shrink", 5), Scheduled("shrink", All(2))),
				When:  Retry("shrink", Only(4)),
				Fails: "shrink: only its first 2 tasks have been scheduled so far",
			},
			{
				Name:  "a task that does not exist is not retried",
				Given: shrinking(2),
				When:  Retry("shrink", Only(2)),
				Fails: "shrink has 2 tasks, numbered from 0",
			},
			{
				Name:  "nor is one of a step that has not started",
				Given: begun(chain, 2),
				When:  Retry("frame", Only(0)),
				Fails: "frame has not started yet",
			},
			{
				Name:  "a step that does not exist is refused with the one that was meant, perhaps",
				Given: shrinking(2, notAPhoto()...),
				When:  Retry("shrnk", nil),
				Fails: `it has no step "shrnk"; did you mean "shrink"?`,
			},
			{
				Name:  "single tasks of a group are refused: a group has none",
				Given: begun(grouped, 2),
				When:  Retry("clean", Only(1)),
				Fails: "clean is a group; name a step to retry single tasks",
			},
			{
				Name:  "tasks without the address of their step are refused",
				Given: shrinking(2, notAPhoto()...),
				When:  Retry("", Only(1)),
				Fails: "the tasks 1 need the address of their step",
			},
		},
	}
}
