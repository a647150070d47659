package process

// Element is what people call the part that a task is about: a file, a key; ""
// where the core does not know it.
func (s State) Element(address string, index int) string {
	if s.graph == nil {
		return ""
	}
	i, ok := s.graph.number[address]
	if !ok {
		return ""
	}
	return (&decision{edits: &edits{State: s}}).element(i, index)
}
