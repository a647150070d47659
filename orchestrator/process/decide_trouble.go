package process

import (
	"fmt"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// LossBudget is how often a task may be lost with its worker. More, and it is
// taken to be what kills them.
const LossBudget = 5

// failTasks spends attempts: a task is tried again later until its step's
// attempts are used up, or at once no more if the failure is permanent.
func (d *decision) failTasks(c FailTasks) error {
	i, n, open, err := d.alive(c.Address, c.Generation, c.Tasks)
	if err != nil {
		return err
	}
	tasks := n.current(open, c.Attempt)
	if len(tasks) == 0 {
		return nil
	}
	d.emit(TasksFailed{
		Address: c.Address, Generation: c.Generation, Attempt: c.Attempt, Tasks: tasks,
		Error: clip(c.Error, task.MaxError), Verdict: c.Verdict, Worker: c.Worker, At: c.At,
	})
	retry := d.graph.retry(i)
	planned := map[int][]int{} // indexes by failures so far: those wait equally long
	for index := range tasks.All() {
		failures := d.nodes[i].tasks.trouble(index).failures
		if c.Verdict == task.Permanent || failures >= retry.Attempts {
			d.fail(i, index, c.Attempt, c.Worker, exhausted(c.Verdict, failures)+clip(c.Error, task.MaxError))
			return nil
		}
		planned[failures] = append(planned[failures], index)
	}
	for failures := 1; len(planned) > 0; failures++ {
		indexes, ok := planned[failures]
		if !ok {
			continue
		}
		delete(planned, failures)
		d.emit(TasksRetryPlanned{
			Address: c.Address, Generation: c.Generation, Attempt: c.Attempt + 1, Tasks: task.Of(indexes...),
			Due: c.At.Add(backoff(retry, failures)), At: c.At,
		})
	}
	return nil
}

func exhausted(v task.Verdict, failures int) string {
	if v == task.Permanent {
		return "failed, and trying again is pointless: "
	}
	if failures == 1 {
		return "failed at its only attempt: "
	}
	return fmt.Sprintf("failed %d times, the last time with: ", failures)
}

// backoff doubles with every failure, from Min to Max.
func backoff(r definition.Retry, failures int) time.Duration {
	wait := time.Duration(r.Backoff.Min)
	for i := 1; i < failures && wait < time.Duration(r.Backoff.Max); i++ {
		wait *= 2
	}
	return min(wait, time.Duration(r.Backoff.Max))
}

// loseTasks schedules again what went down with its worker, as a new attempt,
// so that whoever still works on the old one can be told apart.
func (d *decision) loseTasks(c LoseTasks) error {
	i, n, open, err := d.alive(c.Address, c.Generation, c.Tasks)
	if err != nil {
		return err
	}
	tasks := n.current(open, c.Attempt)
	if len(tasks) == 0 {
		return nil
	}
	d.emit(TasksLost{Address: c.Address, Generation: c.Generation, Attempt: c.Attempt, Tasks: tasks, At: c.At})
	for index := range tasks.All() {
		if losses := d.nodes[i].tasks.trouble(index).losses; losses > LossBudget {
			d.fail(i, index, c.Attempt, "", fmt.Sprintf("lost with its worker %d times: it may be what kills them (memory?)", losses))
			return nil
		}
	}
	d.reschedule(c.Address, c.Generation, c.Attempt+1, tasks)
	return nil
}

// tryTimeout gives an attempt up if it is still the current one.
func (d *decision) tryTimeout(c TryTimeoutTask) error {
	i, n, open, err := d.alive(c.Address, c.Generation, task.Span(c.Index, 1))
	if err != nil {
		return err
	}
	if len(n.current(open, c.Attempt)) == 0 {
		return nil
	}
	d.emit(TaskTimedOut{
		Address: c.Address, Generation: c.Generation, Attempt: c.Attempt, Index: c.Index,
		Elapsed: c.Elapsed, Worker: c.Worker, At: c.At,
	})
	if failures := d.nodes[i].tasks.trouble(c.Index).failures; failures >= d.graph.retry(i).Attempts {
		d.fail(i, c.Index, c.Attempt, c.Worker, exhausted(task.TimedOut, failures)+"it ran longer than its timeout")
		return nil
	}
	d.reschedule(c.Address, c.Generation, c.Attempt+1, task.Span(c.Index, 1))
	return nil
}

// fireTimer schedules what was waiting for this retry; whatever was confirmed
// by a late result meanwhile is left out.
func (d *decision) fireTimer(c FireTimer) error {
	_, n, open, err := d.alive(c.Address, c.Generation, c.Tasks)
	if err != nil {
		return err
	}
	var due []int
	for index := range open.All() {
		if t := n.tasks.trouble(index); t.waiting && t.attempt == c.Attempt {
			due = append(due, index)
		}
	}
	if len(due) > 0 {
		d.reschedule(c.Address, c.Generation, c.Attempt, task.Of(due...))
	}
	return nil
}

func (d *decision) reschedule(address string, generation, attempt int, tasks task.Ranges) {
	d.emit(TasksScheduled{Address: address, Generation: generation, Attempt: attempt, Tasks: tasks, At: d.at})
}

// clip shortens a text from the middle: its first words say what happened, its
// last ones often why.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	const gap = " […] "
	half := (most - len(gap)) / 2
	return strings.ToValidUTF8(s[:half], "") + gap + strings.ToValidUTF8(s[len(s)-half:], "")
}
