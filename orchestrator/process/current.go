package process

import "github.com/deedrun/deed/task"

// IsCurrent reports whether an attempt at an open task is the one to execute.
func (s State) IsCurrent(address string, index, attempt int) bool {
	return len(s.Current(address, attempt, task.Span(index, 1))) > 0
}

// Current is those of some open tasks at which an attempt is the one to execute.
func (s State) Current(address string, attempt int, tasks task.Ranges) task.Ranges {
	if s.graph == nil {
		return nil
	}
	i, ok := s.graph.number[address]
	if !ok {
		return nil
	}
	return s.nodes[i].tasks.current(attempt, tasks)
}

// current is those of the tasks that are under way at an attempt, if they are
// not closed.
func (l *ledger) current(attempt int, tasks task.Ranges) task.Ranges {
	var others task.Ranges
	for first, count := range spans(tasks) {
		if c := l.at(first); c != nil && len(c.odd) > 0 {
			for i := first; i < first+count; i++ {
				if t := l.trouble(i); t.attempt != attempt || t.stand != underWay {
					others = pushRange(others, task.Range{First: i, Count: 1})
				}
			}
		} else if attempt != 1 {
			others = pushRange(others, task.Range{First: first, Count: count})
		}
	}
	return tasks.Minus(others)
}
