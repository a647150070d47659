package process

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/task"
)

// LossBudget is how often a task may be lost with its worker. More, and it is
// taken to be what kills them.
const LossBudget = 5

// failTasks spends attempts: a task is tried again later until its step's
// attempts are used up, or at once no more if the failure is permanent.
func (d *decision) failTasks(c FailTasks) error {
	i, tasks, err := d.executing(c.Address, c.Generation, c.Attempt, c.Tasks)
	if err != nil || len(tasks) == 0 {
		return err
	}
	d.emit(TasksFailed{
		Address: c.Address, Generation: c.Generation, Attempt: c.Attempt, Tasks: tasks,
		Element: clip(c.Element, task.MaxElement), Error: clip(c.Error, task.MaxError), Verdict: c.Verdict, Worker: c.Worker, At: c.At,
	})
	retry := d.graph.retry(i)
	var retried, exhausted []int
	for index := range tasks.All() {
		if c.Verdict == task.Permanent || d.nodes[i].tasks.trouble(index).failures >= retry.Attempts {
			exhausted = append(exhausted, index)
		} else {
			retried = append(retried, index)
		}
	}
	text := clip(c.Error, task.MaxError)
	if d.giveUp(i, task.Of(exhausted...), try{c.Attempt, c.Worker, c.Element}, func(index int) string {
		return spent(c.Verdict, d.nodes[i].tasks.trouble(index).failures) + text
	}) {
		return nil
	}
	d.planRetries(i, c, retried)
	d.advance(i)
	return nil
}

// planRetries plans another attempt at each task, later. Those that wait
// equally long share an event.
func (d *decision) planRetries(i int, c FailTasks, indexes []int) {
	retry := d.graph.retry(i)
	together := map[time.Duration][]int{}
	for _, index := range indexes {
		wait := d.wait(retry, c, index, d.nodes[i].tasks.trouble(index).failures)
		together[wait] = append(together[wait], index)
	}
	for _, wait := range slices.Sorted(maps.Keys(together)) {
		d.emit(TasksRetryPlanned{
			Address: c.Address, Generation: c.Generation, Attempt: c.Attempt + 1, Tasks: task.Of(together[wait]...),
			Due: c.At.Add(wait), At: c.At,
		})
	}
}

// giveUp ends tasks that have no attempt left: within what the step tolerates
// they are skipped, beyond that the process fails, which it reports.
func (d *decision) giveUp(i int, tasks task.Ranges, last try, why func(index int) string) (failed bool) {
	if len(tasks) == 0 {
		return false
	}
	n := d.nodes[i]
	step, _ := d.graph.step(i)
	allowed := step.Tolerate.Of(n.total)
	first := tasks[0].First
	reason := why(first)
	if n.skipped+tasks.Len() <= allowed {
		e := TasksSkipped{Address: d.graph.address(i), Generation: n.generation, Attempt: last.attempt, Tasks: tasks, Reason: reason, At: d.at}
		if tasks.Len() == 1 {
			e.Element = d.elementOf(i, first, last)
		}
		d.emit(e)
		return false
	}
	if allowed > 0 {
		reason = fmt.Sprintf("more than the %s that may fail (tolerate: %s) have failed; this one %s", amount.Of(allowed, "task"), step.Tolerate, reason)
	}
	if tasks.Len() > 1 {
		last.element = ""
	}
	d.fail(i, first, last, reason)
	return true
}

func spent(v task.Verdict, failures int) string {
	if v == task.Permanent {
		return "failed for good: "
	}
	if failures == 1 {
		return "failed at its only attempt: "
	}
	return fmt.Sprintf("failed %d times, the last time with: ", failures)
}

// loseTasks schedules again what went down with its worker, as a new attempt,
// so that whoever still works on the old one can be told apart.
func (d *decision) loseTasks(c LoseTasks) error {
	i, tasks, err := d.executing(c.Address, c.Generation, c.Attempt, c.Tasks)
	if err != nil || len(tasks) == 0 {
		return err
	}
	d.emit(TasksLost{Address: c.Address, Generation: c.Generation, Attempt: c.Attempt, Tasks: tasks, At: c.At})
	var again, exhausted []int
	for index := range tasks.All() {
		if d.nodes[i].tasks.trouble(index).losses > LossBudget {
			exhausted = append(exhausted, index)
		} else {
			again = append(again, index)
		}
	}
	if d.giveUp(i, task.Of(exhausted...), try{attempt: c.Attempt}, func(index int) string {
		return fmt.Sprintf("lost with its worker %d times: it may be what kills them (memory?)", d.nodes[i].tasks.trouble(index).losses)
	}) {
		return nil
	}
	d.reschedule(c.Address, c.Generation, c.Attempt+1, task.Of(again...))
	d.advance(i)
	return nil
}

// tryTimeout gives an attempt up if it is still the current one.
func (d *decision) tryTimeout(c TryTimeoutTask) error {
	i, tasks, err := d.executing(c.Address, c.Generation, c.Attempt, task.Span(c.Index, 1))
	if err != nil || len(tasks) == 0 {
		return err
	}
	d.emit(TaskTimedOut{
		Address: c.Address, Generation: c.Generation, Attempt: c.Attempt, Index: c.Index,
		Elapsed: c.Elapsed, Worker: c.Worker, At: c.At,
	})
	if failures := d.nodes[i].tasks.trouble(c.Index).failures; failures >= d.graph.retry(i).Attempts {
		if !d.giveUp(i, tasks, try{attempt: c.Attempt, worker: c.Worker}, func(int) string {
			return spent(task.TimedOut, failures) + "it ran longer than its timeout"
		}) {
			d.advance(i)
		}
		return nil
	}
	d.reschedule(c.Address, c.Generation, c.Attempt+1, tasks)
	return nil
}

// fireTimer schedules what was waiting for this retry; whatever was confirmed
// by a late result meanwhile is left out.
func (d *decision) fireTimer(c FireTimer) error {
	i, open, err := d.alive(c.Address, c.Generation, c.Tasks)
	if err != nil || d.Status != Running { // a pause: the timer is set again when it is over
		return err
	}
	var due []int
	for index := range open.All() {
		if t := d.nodes[i].tasks.trouble(index); (t.stand == planned || planted.Is(planted.RepeatedTimer)) && t.attempt == c.Attempt {
			due = append(due, index)
		}
	}
	d.reschedule(c.Address, c.Generation, c.Attempt, task.Of(due...))
	return nil
}

// reschedule schedules tasks at a further attempt, or, in a pause, plans that
// for when it is over.
func (d *decision) reschedule(address string, generation, attempt int, tasks task.Ranges) {
	switch {
	case len(tasks) == 0:
	case d.Status == Paused:
		d.emit(TasksRetryPlanned{Address: address, Generation: generation, Attempt: attempt, Tasks: tasks, Due: d.at, At: d.at})
	default:
		d.emit(TasksScheduled{Address: address, Generation: generation, Attempt: attempt, Tasks: tasks, At: d.at})
	}
}

// fireDeadline ends a process that took longer than it may.
func (d *decision) fireDeadline() error {
	deadline := d.Deadline()
	if !d.live() || deadline.IsZero() || d.at.Before(deadline) {
		return nil
	}
	limit := d.Definition.Deadline
	d.emit(ProcessDeadlineMissed{Deadline: limit, At: d.at})
	d.emit(ProcessFailed{Index: -1, Reason: fmt.Sprintf("it took longer than its deadline of %s", limit), At: d.at})
	return nil
}
