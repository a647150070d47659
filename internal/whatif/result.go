package whatif

import (
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// result is what was recorded of an attempt at tasks: that it was done or need
// not be, failed, was lost or ran too long.
type result struct {
	said       process.Command
	address    string
	generation int
	attempt    int
	tasks      task.Ranges
	took       time.Duration // one task, where that is recorded
	order      int
}

// resultOf is the result that a command reports; ok is false for other commands.
func resultOf(c process.Command) (r result, ok bool) {
	switch c := c.(type) {
	case process.ConfirmTasks:
		r = result{address: c.Address, generation: c.Generation, attempt: c.Attempt, tasks: c.Tasks}
		r.took = time.Duration(c.Elapsed) / time.Duration(max(1, c.Tasks.Len()))
	case process.ReuseTasks:
		r = result{address: c.Address, generation: c.Generation, attempt: c.Attempt, tasks: c.Tasks}
	case process.FailTasks:
		r = result{address: c.Address, generation: c.Generation, attempt: c.Attempt, tasks: c.Tasks}
	case process.LoseTasks:
		r = result{address: c.Address, generation: c.Generation, attempt: c.Attempt, tasks: c.Tasks}
	case process.TryTimeoutTask:
		r = result{address: c.Address, generation: c.Generation, attempt: c.Attempt, tasks: task.Span(c.Index, 1), took: time.Duration(c.Elapsed)}
	default:
		return r, false
	}
	r.said = c
	return r, true
}

// report is the command that reports the result for some of its tasks, at a
// generation of the other world and at its time.
func (r result) report(tasks task.Ranges, generation int, at time.Time) process.Command {
	switch c := r.said.(type) {
	case process.ConfirmTasks:
		c.Tasks, c.Generation, c.At = tasks, generation, at
		if tasks.Len() < r.tasks.Len() {
			c.Elapsed = task.Duration(r.took) * task.Duration(tasks.Len())
		}
		return c
	case process.ReuseTasks:
		c.Tasks, c.Generation, c.At = tasks, generation, at
		return c
	case process.FailTasks:
		c.Tasks, c.Generation, c.At = tasks, generation, at
		return c
	case process.LoseTasks:
		c.Tasks, c.Generation, c.At = tasks, generation, at
		return c
	case process.TryTimeoutTask:
		c.Generation, c.At = generation, at
		return c
	}
	return r.said
}

// of is the part of the result that is about some of its tasks.
func (r result) of(tasks task.Ranges) result {
	if c, ok := r.said.(process.ConfirmTasks); ok {
		r.said = r.report(tasks, c.Generation, c.At)
	}
	r.tasks = tasks
	return r
}
