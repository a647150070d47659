package process

import "github.com/deedrun/deed/task"

// Element is what people call the part that a task is about: a file, a key; ""
// where the core does not know it.
func (s State) Element(address string, index int) string {
	i, n, ok := s.find(address)
	if !ok {
		return ""
	}
	if name := s.element(i, index); name != "" {
		return name
	}
	for _, skip := range n.skips {
		if skip.Tasks.Len() == 1 && skip.Tasks[0].First == index {
			return skip.Element
		}
	}
	return ""
}

// element is the same of a node, as far as what it reads says it: lists that
// were merged on a worker are not known here.
func (s State) element(i, index int) string {
	step, isStep := s.graph.step(i)
	if !isStep || step.Each == nil || index < 0 {
		return ""
	}
	if len(step.Each.With) > 0 && step.Each.Into == 0 {
		return s.keyOf(step, index)
	}
	data, _ := s.Data(step.Each.Data)
	var parts []task.Part
	switch {
	case step.Each.Into > 0:
		return ""
	case step.Each.ByKey:
		parts = group(data.Parts, 0)(index)
	case index < len(data.Parts):
		parts = data.Parts[index : index+1]
	}
	if len(parts) == 0 {
		return ""
	}
	if step.Each.ByKey || parts[0].Name == "" {
		return parts[0].Key
	}
	if parts[0].Key == "" {
		return parts[0].Name
	}
	return parts[0].Key + "/" + parts[0].Name
}
