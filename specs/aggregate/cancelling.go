package aggregate

import (
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

func cancelling() Feature {
	return Feature{
		Name: "cancelling",
		About: "To cancel a process ends it for good, without its outputs: what waits on the queue is dropped, what runs is stopped, and " +
			"whatever is reported later changes nothing. What was confirmed stays recorded, so a retry or a restart can make it go on.",
		Specs: []Spec{
			{
				Name:  "a cancel is an event with who and why; what waits is dropped, what runs is stopped",
				Given: shrinking(3),
				When:  Cancel(By("ada"), Because("wrong photos")),
				Then:  Events(Cancelled(By("ada"), Because("wrong photos"))),
				Sends: []process.Effect{process.Halt{}},
			},
			{
				Name:  "a paused process can be cancelled",
				Given: shrinking(3, Paused()),
				When:  Cancel(),
				Then:  Events(Cancelled()),
				Sends: []process.Effect{process.Halt{}},
			},
			{
				Name:  "a result that comes after the cancel changes nothing",
				Given: shrinking(3, Cancelled()),
				When:  Confirm("shrink", Only(1), Wrote(1, "small")),
				Then:  Nothing,
			},
			{
				Name:  "a failure that comes after the cancel changes nothing",
				Given: shrinking(3, Cancelled()),
				When:  Fail("shrink", Only(1), Permanently()),
				Then:  Nothing,
			},
			{
				Name:  "a loss that comes after the cancel changes nothing",
				Given: shrinking(3, Cancelled()),
				When:  Lose("shrink", Only(1)),
				Then:  Nothing,
			},
			{
				Name:  "a retry that was planned does not come after the cancel",
				Given: shrinking(3, Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)), Cancelled()),
				When:  Fire("shrink", Only(1), Attempt(2)),
				Then:  Nothing,
			},
			{
				Name:  "to cancel a cancelled process changes nothing",
				Given: shrinking(3, Cancelled(By("ada"))),
				When:  Cancel(By("bob")),
				Then:  Nothing,
			},
			{
				Name:  "a completed process cannot be cancelled",
				Given: shrinking(1, Confirmed("shrink", Only(0)), StepCompleted("shrink", List("small", 0)), ProcessCompleted()),
				When:  Cancel(),
				Fails: "it has completed already: there is nothing to cancel",
			},
			{
				Name:  "a failed process cannot be cancelled",
				Given: shrinking(3, notAPhoto()...),
				When:  Cancel(),
				Fails: "it has failed already: there is nothing to cancel",
			},
			{
				Name: "a retry makes a cancelled process go on where it was: what was open is sent again, and what waited for its retry waits no longer",
				Given: shrinking(3,
					Confirmed("shrink", Only(0), Wrote(0, "small")),
					Failed("shrink", Only(1)), RetryPlanned("shrink", Only(1), Attempt(2), After(second)),
					Cancelled(By("ada")),
				),
				When: Retry("", nil, By("ada"), Because("they were right")),
				Then: Events(
					Retried(Fresh("shrink", Only(1)), By("ada"), Because("they were right")),
					Scheduled("shrink", Only(1), Attempt(2)),
				),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{}},
					process.Enqueue{Address: "shrink", Attempt: 1, Tasks: Only(2)},
					process.SetTimer{Due: noon(0), Address: "shrink", Attempt: 2, Tasks: Only(1)},
					process.Enqueue{Address: "shrink", Attempt: 2, Tasks: Only(1)},
				},
			},
			{
				Name:  "after that, what a worker finished that the cancel did not reach counts as ever",
				Given: shrinking(3, Cancelled(), Retried()),
				When:  Confirm("shrink", Only(2), Wrote(2, "small")),
				Then:  Events(Confirmed("shrink", Only(2), Wrote(2, "small"))),
			},
		},
	}
}
