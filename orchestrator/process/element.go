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
	if name := (&decision{edits: &edits{State: s}}).element(i, index); name != "" {
		return name
	}
	for _, skip := range s.nodes[i].skips {
		if skip.Tasks.Len() == 1 && skip.Tasks[0].First == index {
			return skip.Element
		}
	}
	return ""
}
