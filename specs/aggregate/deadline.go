package aggregate

import (
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	. "github.com/deedrun/deed/specs"
	"github.com/deedrun/deed/task"
)

// within is a definition with a deadline.
func within(limit time.Duration, def definition.Definition) definition.Definition {
	def.Name, def.Deadline = "prompt-"+def.Name, task.Duration(limit)
	return def
}

var prompt = within(time.Hour, resize)

// restartAt is a restart so long after the start.
func restartAt(after time.Duration, address string) process.RestartFrom {
	c := Restart(address)
	c.At = c.At.Add(after)
	return c
}

// retryAt is a retry of whatever failed, so long after the start.
func retryAt(after time.Duration) process.RetryTasks {
	c := Retry("", nil)
	c.At = c.At.Add(after)
	return c
}

// restartedAt is the event that a restart so long after the start leads to.
func restartedAt(after time.Duration, address string, options ...Option) process.ProcessRestarted {
	e := Restarted(address, options...)
	e.At = e.At.Add(after)
	return e
}

func deadline() Feature {
	return Feature{
		Name: "the deadline of a process",
		About: "`deadline: 1h` is how long a process may take, from its start to its end; a step's `timeout` is another thing, about one " +
			"attempt at one task. When the time is up the process fails, what runs is stopped and what waits is dropped. A pause does not " +
			"stop that clock. A retry or a restart sets it anew.",
		Specs: []Spec{
			{
				Name: "a process with a deadline sets a timer when it starts",
				When: Start(prompt, Input("photos", 2)),
				Then: begun(prompt, 2),
				Sends: []process.Effect{
					process.SetDeadline{Due: noon(time.Hour)},
					process.Enqueue{Address: "shrink", Attempt: 1, Tasks: All(2)},
				},
			},
			{
				Name:  "a process that misses its deadline fails, and what runs is stopped",
				Given: begun(prompt, 2),
				When:  Deadline(time.Hour),
				Then:  Events(DeadlineMissed(time.Hour), ProcessFailedAsAWhole("it took longer than its deadline of 1h")),
				Sends: []process.Effect{process.Halt{}},
			},
			{
				Name:  "a timer that comes too early changes nothing",
				Given: begun(prompt, 2),
				When:  Deadline(time.Hour - second),
				Then:  Nothing,
			},
			{
				Name:  "a process that has ended in time misses no deadline",
				Given: begun(prompt, 1, Confirmed("shrink", Only(0)), StepCompleted("shrink", List("small", 0)), ProcessCompleted()),
				When:  Deadline(time.Hour),
				Then:  Nothing,
			},
			{
				Name:  "a process without a deadline misses none",
				Given: shrinking(2),
				When:  Deadline(1000 * time.Hour),
				Then:  Nothing,
			},
			{
				Name:  "a pause does not stop the clock",
				Given: begun(prompt, 2, Paused()),
				When:  Deadline(time.Hour),
				Then:  Events(DeadlineMissed(time.Hour), ProcessFailedAsAWhole("it took longer than its deadline of 1h")),
			},
			{
				Name:  "a restart sets the clock anew",
				Given: begun(prompt, 2),
				When:  restartAt(20*time.Minute, "shrink"),
				Then:  Events(Restarted("shrink", Anew("shrink", 1)), StepStarted("shrink", 2, Generation(1)), Scheduled("shrink", All(2), Generation(1))),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{"shrink": 1, "deed/seal/small": 1}},
					process.SetDeadline{Due: noon(80 * time.Minute)},
					process.Enqueue{Address: "shrink", Generation: 1, Attempt: 1, Tasks: All(2)},
				},
			},
			{
				Name: "so the timer of before a restart changes nothing",
				Given: begun(prompt, 2,
					restartedAt(20*time.Minute, "shrink", Anew("shrink", 1)), StepStarted("shrink", 2, Generation(1)), Scheduled("shrink", All(2), Generation(1)),
				),
				When: Deadline(time.Hour),
				Then: Nothing,
			},
			{
				Name:  "a process that missed its deadline is made to go on by a retry, with as much time again",
				Given: begun(prompt, 2, DeadlineMissed(time.Hour), ProcessFailedAsAWhole("it took longer than its deadline of 1h")),
				When:  retryAt(time.Hour),
				Then:  Events(Retried()),
				Sends: []process.Effect{
					process.Halt{Before: map[string]int{}},
					process.SetDeadline{Due: noon(2 * time.Hour)},
					process.Enqueue{Address: "shrink", Attempt: 1, Tasks: All(2)},
				},
			},
		},
	}
}
