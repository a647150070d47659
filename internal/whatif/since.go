package whatif

import (
	"sort"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
)

// since is when attempts began that the other world scheduled at times of its
// own. First attempts are scheduled in the order of the tasks, so a few bytes
// for each schedule are enough.
type since struct {
	first map[string]*marks
	again map[spot]map[int]time.Time
}

// marks tell when tasks were scheduled, from a first one on.
type marks struct {
	first int
	marks []mark
}

// mark says when the tasks before end were scheduled, as far as no mark before it does.
type mark struct {
	end int
	at  int64 // nanoseconds since 1970: there may be a million
}

func (s *since) scheduled(e process.TasksScheduled) {
	if s.first == nil {
		s.first, s.again = map[string]*marks{}, map[spot]map[int]time.Time{}
	}
	if e.Attempt == 1 {
		first, end := e.Tasks[0].First, e.Tasks[len(e.Tasks)-1].End()
		m := s.first[e.Address]
		if m == nil || first < m.marks[len(m.marks)-1].end { // the step has begun, or begun anew
			m = &marks{first: first}
			s.first[e.Address] = m
		}
		m.marks = append(m.marks, mark{end, e.At.UnixNano()})
		return
	}
	here := spot{e.Address, e.Attempt}
	if s.again[here] == nil {
		s.again[here] = map[int]time.Time{}
	}
	for index := range e.Tasks.All() {
		s.again[here][index] = e.At
	}
}

// of is when an attempt began; ok is false where it began as it was recorded.
func (s *since) of(here spot, index int) (at time.Time, ok bool) {
	if here.attempt > 1 {
		at, ok = s.again[here][index]
		return at, ok
	}
	m := s.first[here.address]
	if m == nil || index < m.first {
		return time.Time{}, false
	}
	i := sort.Search(len(m.marks), func(i int) bool { return index < m.marks[i].end })
	if i == len(m.marks) {
		return time.Time{}, false
	}
	return time.Unix(0, m.marks[i].at).UTC(), true
}
