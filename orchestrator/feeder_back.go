package orchestrator

import (
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// observe learns from stored events which tasks are not out any more.
func (f *feeder) observe(id string, happened []process.Event) {
	for _, e := range happened {
		if over, is := cameBack(e); is {
			if r := f.find(id, over.Address); r != nil {
				r.comeBack(over.Tasks, nil)
			}
		}
	}
}

// cameBack is the tasks that no worker has any more, by an event.
func cameBack(e process.Event) (over process.Enqueue, is bool) {
	switch e := e.(type) {
	case process.TasksConfirmed:
		return process.Enqueue{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks}, true
	case process.TasksReused:
		return process.Enqueue{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks}, true
	case process.TasksFailed:
		return process.Enqueue{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks}, true
	case process.TasksLost:
		return process.Enqueue{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks}, true
	case process.TaskTimedOut:
		return process.Enqueue{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: task.Span(e.Index, 1)}, true
	}
	return over, false
}

// measure learns from a worker's report how long tasks of a step take.
func (f *feeder) measure(id string, r task.Result) {
	n := r.Tasks.Len()
	if n == 0 || r.Elapsed < 0 || r.Outcome != task.Done && r.Outcome != task.Failed {
		return
	}
	row := f.find(id, r.Address)
	if row == nil {
		return
	}
	each := max(time.Duration(r.Elapsed)/time.Duration(n), time.Microsecond)
	row.reckon(averaged(row.took, each, n))
	if row.pool != nil {
		row.pool.measure(row.handler, each, n)
	}
}

// takeBack notes that tasks are not out any more at this very attempt, though
// they are not over, and returns those that were. A report may name anything.
func (f *feeder) takeBack(id string, e process.Enqueue) (r *row, tasks task.Ranges) {
	if r = f.find(id, e.Address); r == nil {
		return nil, nil
	}
	return r, r.comeBack(e.Tasks, func(s sending) bool { return s.attempt == e.Attempt && s.generation == e.Generation })
}

// resend takes tasks that were out, were not begun, and that nobody holds. What
// is named and was not out is pending, or over.
func (f *feeder) resend(id string, e process.Enqueue) {
	r, tasks := f.takeBack(id, e)
	if len(tasks) == 0 {
		return
	}
	e.Tasks = tasks
	r.bucket.giveBack(tasks.Len())
	r.pushFront(queued{Enqueue: e})
	f.freshen(r)
}

// hold marks tasks as out: a worker says it has them. What was confirmed since
// it said so is not: no event would ever take it off again.
func (f *feeder) hold(s *process.State, h task.Hold, now time.Time) {
	if f.feeds[s.ID] == nil {
		return
	}
	r := f.row(s.ID, h.Address)
	tasks := s.Current(h.Address, h.Attempt, s.Open(h.Address, h.Generation, h.Tasks))
	r.goOut(tasks, sending{generation: h.Generation, attempt: h.Attempt, at: now, parts: whole})
}

// settle takes off what is over by the state: the events that say so may have
// been somebody else's, or stored without this owner knowing.
func (f *feeder) settle(s *process.State) {
	fd := f.feeds[s.ID]
	if fd == nil {
		return
	}
	for _, r := range fd.rows {
		for _, o := range slices.Clone(r.out.runs) {
			tasks := task.Ranges{o.Range}
			r.comeBack(tasks.Minus(s.Current(r.address, o.attempt, s.Open(r.address, o.generation, tasks))), nil)
		}
	}
}
