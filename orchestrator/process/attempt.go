package process

import "time"

// Attempt is where a task stands: its current attempt, or the one that is
// planned and when that is due; the zero time: it is not waiting for its time.
// A task that nothing is known of is at attempt 1.
func (s State) Attempt(address string, index int) (attempt int, due time.Time) {
	if s.graph == nil || index < 0 {
		return 1, time.Time{}
	}
	i, ok := s.graph.number[address]
	if !ok {
		return 1, time.Time{}
	}
	t := s.nodes[i].tasks.trouble(index)
	if t.stand == planned {
		due = time.Unix(0, t.due).UTC()
	}
	return t.attempt, due
}

// Scheduled is how many tasks of a step, or of a merge, have been scheduled at
// least once: those from 0 on.
func (s State) Scheduled(address string) int {
	if s.graph == nil {
		return 0
	}
	if i, ok := s.graph.number[address]; ok {
		return s.nodes[i].scheduled
	}
	return 0
}
