package orchestrator

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// stale lists the processes that have tasks out since before t.
func (f *feeder) stale(t time.Time) []string {
	var ids []string
	for id, fd := range f.feeds {
		if fd.hasOutSince(t) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (fd *feed) hasOutSince(t time.Time) bool {
	for _, r := range fd.rows {
		for _, o := range r.out.runs {
			if o.at.Before(t) {
				return true
			}
		}
	}
	return false
}

// out lists the tasks of a process that are out since before t; the zero time:
// all that are out.
func (f *feeder) out(id string, t time.Time) []process.Enqueue {
	type batch struct {
		address             string
		generation, attempt int
	}
	batches := map[batch]task.Ranges{}
	for _, r := range f.feeds[id].rows {
		for _, o := range r.out.runs {
			if t.IsZero() || o.at.Before(t) {
				b := batch{r.address, o.generation, o.attempt}
				batches[b] = append(batches[b], o.Range)
			}
		}
	}
	var all []process.Enqueue
	for b, tasks := range batches {
		all = append(all, process.Enqueue{Address: b.address, Generation: b.generation, Attempt: b.attempt, Tasks: tasks.Joined()})
	}
	slices.SortFunc(all, func(a, b process.Enqueue) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Attempt, b.Attempt))
	})
	return all
}

// missedTwice marks tasks as missed, and returns those that were missed at the
// last look already.
func (f *feeder) missedTwice(id string, e process.Enqueue, missing task.Ranges) task.Ranges {
	var again, first []run
	r := f.row(id, e.Address)
	r.out.remove(missing, nil, func(o run) {
		if o.missed {
			again = append(again, o)
		} else {
			first = append(first, o)
		}
	})
	var tasks task.Ranges
	for _, o := range again {
		r.out.add(o.Range, o.sending)
		tasks = append(tasks, o.Range)
	}
	for _, o := range first {
		o.missed = true
		r.out.add(o.Range, o.sending)
	}
	return tasks.Joined()
}

// found says that the tasks of a process are somewhere.
func (f *feeder) found(id string) {
	for _, r := range f.feeds[id].rows {
		for i := range r.out.runs {
			r.out.runs[i].missed = false
		}
	}
}

// waiting is how many tasks of a process are scheduled and not sent yet.
func (f *feeder) waiting(id string) int {
	n := 0
	if fd := f.feeds[id]; fd != nil {
		for _, r := range fd.rows {
			n += r.waiting
		}
	}
	return n
}

// unsent lists what waiting counts, as far as a view has room, with the reason
// where there is a particular one.
func (f *feeder) unsent(id string) []HeldTasks {
	fd := f.feeds[id]
	if fd == nil {
		return nil
	}
	var all []HeldTasks
	room := maxUnsent
	for _, address := range slices.Sorted(maps.Keys(fd.rows)) {
		r := fd.rows[address]
		why := r.why()
		for _, q := range r.pending {
			if room == 0 {
				return all
			}
			tasks := q.left()
			tasks = tasks[:min(len(tasks), room)]
			room -= len(tasks)
			all = append(all, HeldTasks{
				Address: r.address, Generation: q.Generation, Attempt: q.Attempt, Tasks: tasks, Why: why, Unserved: r.stands == isAside,
			})
		}
	}
	return all
}

// unattended lists the tasks of a process that are on the queue for a pool which
// nobody serves.
func (f *feeder) unattended(id string) (all []HeldTasks) {
	fd := f.feeds[id]
	if fd == nil {
		return nil
	}
	for _, e := range f.out(id, time.Time{}) {
		if r := fd.rows[e.Address]; r.pool != nil && r.pool.name != "" && len(r.pool.crew) == 0 {
			all = append(all, HeldTasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks, Why: r.why()})
		}
	}
	return all
}
