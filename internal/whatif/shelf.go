package whatif

import (
	"cmp"
	"slices"

	"github.com/deedrun/deed/task"
)

// shelf keeps results for attempts that the other world has not scheduled yet.
// It is looked through whenever something is scheduled, so results lie by
// blocks of task indexes: those that span several are cut.
type shelf struct {
	at    map[spot]map[int][]result // by block
	tasks int
	count int
}

// spot is an attempt at the tasks of a step.
type spot struct {
	address string
	attempt int
}

const block = 512

func (s *shelf) put(r result) {
	if s.at == nil {
		s.at = map[spot]map[int][]result{}
	}
	here := spot{r.address, r.attempt}
	if s.at[here] == nil {
		s.at[here] = map[int][]result{}
	}
	s.count++
	r.order = s.count
	s.tasks += r.tasks.Len()
	for rest := r.tasks; len(rest) > 0; {
		n := rest[0].First / block
		beyond := rest.Minus(task.Span(0, (n+1)*block))
		s.at[here][n] = append(s.at[here][n], r.of(rest.Minus(beyond)))
		rest = beyond
	}
}

// take removes the results for tasks that have been scheduled, in the order in
// which they came.
func (s *shelf) take(here spot, tasks task.Ranges) []result {
	blocks := s.at[here]
	if len(blocks) == 0 {
		return nil
	}
	var found []result
	look := func(n int) {
		waiting, some := blocks[n]
		if !some {
			return
		}
		var still []result
		for _, r := range waiting {
			rest := r.tasks.Minus(tasks)
			if len(rest) > 0 {
				still = append(still, r.of(rest))
			}
			if taken := r.tasks.Minus(rest); len(taken) > 0 {
				found = append(found, r.of(taken))
				s.tasks -= taken.Len()
			}
		}
		if blocks[n] = still; len(still) == 0 {
			delete(blocks, n)
		}
	}
	last := -1
	for _, r := range tasks {
		for n := max(last+1, r.First/block); n <= (r.End()-1)/block; n++ {
			look(n)
			last = n
		}
	}
	slices.SortStableFunc(found, func(a, b result) int { return cmp.Compare(a.order, b.order) })
	return found
}
