package orchestrator

import (
	"cmp"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// stale lists the processes that have tasks out since before t.
func (f *feeder) stale(t time.Time) []string {
	var ids []string
	for id, fd := range f.feeds {
		for _, s := range fd.sent {
			if s.at.Before(t) {
				ids = append(ids, id)
				break
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// out lists the tasks of a process that are out since before t.
func (f *feeder) out(id string, t time.Time) []process.Enqueue {
	type batch struct {
		address             string
		generation, attempt int
	}
	indexes := map[batch][]int{}
	for key, s := range f.feeds[id].sent {
		if s.at.Before(t) {
			b := batch{key.address, s.generation, s.attempt}
			indexes[b] = append(indexes[b], key.index)
		}
	}
	var all []process.Enqueue
	for b, is := range indexes {
		all = append(all, process.Enqueue{Address: b.address, Generation: b.generation, Attempt: b.attempt, Tasks: task.Of(is...)})
	}
	slices.SortFunc(all, func(a, b process.Enqueue) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Attempt, b.Attempt))
	})
	return all
}

// missedTwice marks tasks as missed, and returns those that were missed at the
// last look already.
func (f *feeder) missedTwice(id string, e process.Enqueue, missing task.Ranges) task.Ranges {
	var again []int
	fd := f.feeds[id]
	for i := range missing.All() {
		key := taskKey{e.Address, i}
		s := fd.sent[key]
		if s.missed {
			again = append(again, i)
		}
		s.missed = true
		fd.sent[key] = s
	}
	return task.Of(again...)
}

// found says that the tasks of a process are somewhere.
func (f *feeder) found(id string) {
	fd := f.feeds[id]
	for key, s := range fd.sent {
		if s.missed {
			s.missed = false
			fd.sent[key] = s
		}
	}
}

// waiting is how many tasks of a process are scheduled and not sent yet.
func (f *feeder) waiting(id string) int {
	fd := f.feeds[id]
	if fd == nil {
		return 0
	}
	n := 0
	for _, e := range fd.pending {
		n += e.Tasks.Len()
	}
	return n
}

// unsent lists what waiting counts, as far as a view has room.
func (f *feeder) unsent(id string) []HeldTasks {
	fd := f.feeds[id]
	if fd == nil {
		return nil
	}
	var all []HeldTasks
	room := MaxUnsent
	for _, e := range fd.pending {
		if room == 0 {
			break
		}
		tasks := e.Tasks[:min(len(e.Tasks), room)]
		room -= len(tasks)
		all = append(all, HeldTasks{Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: tasks})
	}
	return all
}
