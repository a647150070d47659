package process

import "time"

// StepTook is how long a step took that has completed; 0 for any other address.
func (s State) StepTook(address string) time.Duration {
	if s.graph == nil {
		return 0
	}
	i, ok := s.graph.number[address]
	if !ok || s.nodes[i].phase != completed {
		return 0
	}
	return s.nodes[i].endedAt.Sub(s.nodes[i].startedAt)
}
