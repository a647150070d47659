package worker

import (
	"slices"

	"github.com/deedrun/deed/task"
)

// taskSet is a set of tasks that grows. Most are added behind all others, or
// right beside them, which costs next to nothing.
type taskSet struct{ ranges task.Ranges }

// has reports whether one of the tasks is in the set.
func (s *taskSet) has(r task.Range) bool {
	i := s.place(r)
	return i < len(s.ranges) && s.ranges[i].First < r.End()
}

// place is the first range that does not end before r begins.
func (s *taskSet) place(r task.Range) int {
	if n := len(s.ranges); n == 0 || s.ranges[n-1].End() <= r.First {
		return n
	}
	i, _ := slices.BinarySearchFunc(s.ranges, r.First, func(have task.Range, first int) int {
		if have.End() <= first {
			return -1
		}
		return 1
	})
	return i
}

// add adds tasks of which the set has none.
func (s *taskSet) add(r task.Range) {
	i := s.place(r)
	before := i > 0 && s.ranges[i-1].End() == r.First
	after := i < len(s.ranges) && s.ranges[i].First == r.End()
	switch {
	case before && after:
		s.ranges[i-1].Count += r.Count + s.ranges[i].Count
		s.ranges = slices.Delete(s.ranges, i, i+1)
	case before:
		s.ranges[i-1].Count += r.Count
	case after:
		s.ranges[i].First = r.First
		s.ranges[i].Count += r.Count
	case i == len(s.ranges):
		s.ranges = append(s.ranges, r)
	default:
		s.ranges = slices.Insert(s.ranges, i, r)
	}
}
