package aggregate

import (
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

func pausing() Feature {
	return Feature{
		Name: "pausing and resuming",
		About: "In a pause nothing is scheduled and what waits on the queue is taken back, but what runs goes on: its results count, so do its " +
			"failures. What would have been scheduled meanwhile, by a loss, a timeout, a retry or a result, is scheduled when the process is resumed. " +
			"Every command of a person says who and why, and carries an ID: the same command again, after an answer was lost, changes nothing.",
		Specs: []Spec{
			{
				Name:  "a pause is an event with who and why; what waits is taken off the queue, what runs goes on",
				Given: shrinking(3),
				When:  Pause(By("ada"), Because("the disk is full")),
				Then:  Events(Paused(By("ada"), Because("the disk is full"))),
				Sends: []process.Effect{process.Withhold{}},
			},
			{
				Name:  "a result counts in a pause, but makes no room for another task",
				Given: Events(Started(throttled, Input("photos", 5)), StepStarted("shrink", 5), Scheduled("shrink", All(2)), Paused()),
				When:  Confirm("shrink", Only(0), Wrote(0, "small")),
				Then:  Events(Confirmed("shrink", Only(0), Wrote(0, "small"))),
				Sends: []process.Effect{},
			},
			{
				Name:  "the last result of a step counts in a pause, but the step completes later",
				Given: begun(chain, 1, Paused()),
				When:  Confirm("shrink", Only(0), Wrote(0, "small")),
				Then:  Events(Confirmed("shrink", Only(0), Wrote(0, "small"))),
			},
			{
				Name:  "a failure in a pause spends an attempt, and its retry is planned as ever",
				Given: shrinking(3, Paused()),
				When:  Fail("shrink", Only(1)),
				Then:  Events(Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second))),
			},
			{
				Name:  "a failure that ends the process ends it in a pause too",
				Given: shrinking(3, Paused()),
				When:  Fail("shrink", Only(1), Permanently(), Because("not a photo")),
				Then:  notAPhoto(),
			},
			{
				Name:  "what is lost in a pause is planned for its end",
				Given: shrinking(3, Paused()),
				When:  Lose("shrink", Only(0, 2)),
				Then:  Events(Lost("shrink", Only(0, 2)), RetryPlanned("shrink", Only(0, 2), Attempt(2))),
			},
			{
				Name:  "what times out in a pause is planned for its end",
				Given: shrinking(3, Paused()),
				When:  TryTimeout("shrink", 1),
				Then:  Events(TimedOut("shrink", 1), RetryPlanned("shrink", Only(1), Attempt(2))),
			},
			{
				Name:  "when the time of a retry comes in a pause, nothing happens",
				Given: shrinking(3, Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)), Paused()),
				When:  Fire("shrink", Only(1), Attempt(2)),
				Then:  Nothing,
			},
			{
				Name: "at the end of a pause whatever is open is sent again, and every planned retry gets its timer",
				Given: shrinking(4,
					Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(time.Minute)),
					Paused(By("ada")),
					Confirmed("shrink", Only(0), Wrote(0, "small")),
					Lost("shrink", Only(2)), RetryPlanned("shrink", Only(2), Attempt(2)),
				),
				When: Resume(By("ada")),
				Then: Events(Resumed(By("ada"))),
				Sends: []process.Effect{
					process.Enqueue{Address: "shrink", Attempt: 1, Tasks: Only(3)},
					process.SetTimer{Due: noon(0), Address: "shrink", Attempt: 2, Tasks: Only(2)},
					process.SetTimer{Due: noon(time.Minute), Address: "shrink", Attempt: 2, Tasks: Only(1)},
				},
			},
			{
				Name: "at the end of a pause tasks are scheduled that results have made room for",
				Given: Events(
					Started(throttled, Input("photos", 5)), StepStarted("shrink", 5), Scheduled("shrink", All(2)),
					Paused(), Confirmed("shrink", All(2), WroteEach("small", All(2))),
				),
				When: Resume(),
				Then: Events(Resumed(), Scheduled("shrink", Only(2, 3))),
			},
			{
				Name:  "at the end of a pause a step completes whose last result came in it, and the next one starts",
				Given: begun(chain, 1, Paused(), Confirmed("shrink", Only(0), Wrote(0, "small"))),
				When:  Resume(),
				Then: Events(
					Resumed(), StepCompleted("shrink", List("small", 1)),
					StepStarted("frame", 1), Scheduled("frame", All(1)),
				),
			},
			{
				Name: "at the end of a pause the step completes whose lists were merged in it, and with it the process",
				Given: shrinking(1,
					Confirmed("shrink", Only(0), Listed("report 1")), StepStarted("deed/seal/small", 1), Scheduled("deed/seal/small", All(1)),
					Paused(), Confirmed("deed/seal/small", Only(0), Merged(1, 1)),
				),
				When: Resume(),
				Then: Events(Resumed(), StepCompleted("shrink", ListMerged("small", 1, 1)), ProcessCompleted()),
			},
			{
				Name:  "to pause a paused process changes nothing",
				Given: shrinking(3, Paused(By("ada"))),
				When:  Pause(By("bob")),
				Then:  Nothing,
			},
			{
				Name:  "to resume a running process changes nothing",
				Given: shrinking(3),
				When:  Resume(),
				Then:  Nothing,
			},
			{
				Name:  "the same command again changes nothing, also when its effect is over",
				Given: shrinking(3, Paused(Command("ada 1")), Resumed(Command("ada 2"))),
				When:  Pause(Command("ada 1")),
				Then:  Nothing,
			},
			{
				Name:  "a process that has ended cannot be paused",
				Given: shrinking(3, Cancelled()),
				When:  Pause(),
				Fails: "it has been cancelled already: there is nothing to pause",
			},
			{
				Name:  "a failed process is not resumed but retried, and the refusal says so",
				Given: shrinking(3, notAPhoto()...),
				When:  Resume(),
				Fails: "it has failed, it is not paused; to make it go on, retry what failed, or restart it from a step",
			},
			{
				Name:  "a completed process is not resumed but restarted, and the refusal says so",
				Given: shrinking(1, Confirmed("shrink", Only(0)), StepCompleted("shrink", List("small", 0)), ProcessCompleted()),
				When:  Resume(),
				Fails: "it has completed; to run a part of it again, restart it from a step",
			},
		},
	}
}
