package aggregate

import (
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
)

func losses() Feature {
	return Feature{
		Name: "lost workers",
		About: "While a worker lives it extends its hold on the tasks it has; when it dies, or stands still for longer than its lease, the queue " +
			"hands them to another. That one does not run them: it reports them as lost. The aggregate schedules them again as a new " +
			"attempt, at once, so that whoever still works on the old one can be told apart. A loss is nobody's failure: it costs no attempt " +
			"of the retry policy. But a task that kills its workers (memory, a crash) must not do so for ever: it may be lost five times, " +
			"and the sixth time ends it, as its step says: the process fails, or the task is skipped. " +
			"A worker that is told to stop is another matter: it hands back what it has not begun, which is no loss and no event.",
		Specs: []Spec{
			{
				Name:  "lost tasks are scheduled again as a new attempt",
				Given: shrinking(3),
				When:  Lose("shrink", Only(0, 2)),
				Then: Events(
					Lost("shrink", Only(0, 2)),
					Scheduled("shrink", Only(0, 2), Attempt(2)),
				),
				Sends: []process.Effect{process.Enqueue{Address: "shrink", Attempt: 2, Tasks: Only(0, 2)}},
			},
			{
				Name: "what was confirmed before the worker died is not lost",
				Given: shrinking(3,
					Confirmed("shrink", Only(0), Wrote(0, "small")),
				),
				When: Lose("shrink", Only(0, 2)),
				Then: Events(Lost("shrink", Only(2)), Scheduled("shrink", Only(2), Attempt(2))),
			},
			{
				Name: "the worker that was taken for dead was only slow: its result counts if it comes first",
				Given: shrinking(3,
					Lost("shrink", Only(1)), Scheduled("shrink", Only(1), Attempt(2)),
				),
				When: Confirm("shrink", Only(1), Wrote(1, "small")),
				Then: Events(Confirmed("shrink", Only(1), Wrote(1, "small"))),
			},
			{
				Name: "and changes nothing if the other was faster",
				Given: shrinking(3,
					Lost("shrink", Only(1)), Scheduled("shrink", Only(1), Attempt(2)), Confirmed("shrink", Only(1), Attempt(2), Wrote(1, "small")),
				),
				When: Confirm("shrink", Only(1), Wrote(1, "small")),
				Then: Nothing,
			},
			{
				Name: "a loss costs no attempt of the retry policy",
				Given: shrinking(3,
					Lost("shrink", Only(1)), Scheduled("shrink", Only(1), Attempt(2)),
					Lost("shrink", Only(1), Attempt(2)), Scheduled("shrink", Only(1), Attempt(3)),
				),
				When: Fail("shrink", Only(1), Attempt(3)),
				Then: Events(Failed("shrink", Only(1), Attempt(3)), RetryPlanned("shrink", Only(1), Attempt(4), After(second))),
			},
			{
				Name: "of tasks that go down with one worker, each has a budget of its own",
				Given: following(lostFiveTimes(carefree),
					Lost("shrink", Only(0)), Scheduled("shrink", Only(0), Attempt(2)),
					Lost("shrink", Only(0), Attempt(2)), Scheduled("shrink", Only(0), Attempt(3)),
					Lost("shrink", Only(0), Attempt(3)), Scheduled("shrink", Only(0), Attempt(4)),
					TimedOut("shrink", 0, Attempt(4)), Scheduled("shrink", Only(0), Attempt(5)),
					TimedOut("shrink", 0, Attempt(5)), Scheduled("shrink", Only(0), Attempt(6)),
				),
				When: Lose("shrink", Only(0, 1), Attempt(6)),
				Then: Events(
					Lost("shrink", Only(0, 1), Attempt(6)),
					Skipped("shrink", Only(1), "lost with its worker 6 times: it may be what kills them (memory?)", Attempt(6)),
					Scheduled("shrink", Only(0), Attempt(7)),
				),
			},
			{
				Name: "the same loss reported twice is one loss",
				Given: shrinking(3,
					Lost("shrink", Only(1)), Scheduled("shrink", Only(1), Attempt(2)),
				),
				When: Lose("shrink", Only(1)),
				Then: Nothing,
			},
			{
				Name:  "a task that is lost a sixth time ends the process: it may be what kills the workers",
				Given: lostFiveTimes(resize),
				When:  Lose("shrink", Only(1), Attempt(6)),
				Then: Events(
					Lost("shrink", Only(1), Attempt(6)),
					ProcessFailed("shrink", 1, "lost with its worker 6 times: it may be what kills them (memory?)", Attempt(6)),
				),
			},
		},
	}
}
