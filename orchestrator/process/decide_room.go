package process

import "sort"

// claim is a step that has tasks which were never scheduled.
type claim struct {
	node  int
	open  int // tasks
	wants int // as many as there are, and as its own parallelism allows
	gets  int
}

// shareRoom schedules what the parallelism of the process leaves room for. It
// comes last in a decision, when it is known which steps have ended or begun.
// Merges take no room: they are few, and the next steps wait for them.
func (d *decision) shareRoom() {
	limit := d.Definition.Parallelism
	if limit <= 0 || d.Status != Running || len(d.events) == 0 {
		return
	}
	room := limit - d.openTasks()
	if room <= 0 {
		return
	}
	claims := d.claims()
	share(room, claims)
	for _, c := range claims {
		if c.gets > 0 {
			d.schedule(c.node, d.nodes[c.node].scheduled, c.gets)
		}
	}
}

// openTasks is how many tasks of all steps are scheduled and not done, those
// that wait for a retry included: they keep their places.
func (s State) openTasks() int {
	open := 0
	for i := range s.graph.def.Steps {
		if n := s.nodes[i]; n.phase == running {
			open += n.scheduled - n.closed()
		}
	}
	return open
}

// claims lists, in the order of the definition, the steps that want room.
func (s State) claims() []claim {
	var all []claim
	for i := range s.graph.def.Steps {
		if n := s.nodes[i]; n.phase == running {
			if wants := s.wants(i); wants > 0 {
				all = append(all, claim{node: i, open: n.scheduled - n.closed(), wants: wants})
			}
		}
	}
	return all
}

// wants is how many more tasks of a running node its own parallelism lets be scheduled.
func (s State) wants(i int) int {
	n := s.nodes[i]
	left := n.total - n.scheduled
	if step, _ := s.graph.step(i); step.Repeat != nil {
		return 0 // its rounds follow one from another
	} else if step.Parallelism > 0 {
		left = min(left, step.Parallelism-(n.scheduled-n.closed()))
	}
	return left
}

// share gives room away place by place, each to the claim that has the fewest
// tasks open; of several such the first one. So steps that run side by side
// come to have equally many open, as far as they want them.
func share(room int, claims []claim) {
	highest := 0
	for _, c := range claims {
		highest = max(highest, c.open+min(c.wants, room))
	}
	// All are raised to a level, or as far as they want: the highest for which
	// there is room.
	upTo := func(c claim, level int) int { return min(max(level-c.open, 0), c.wants) }
	level := sort.Search(highest, func(below int) bool {
		needed := 0
		for _, c := range claims {
			needed += upTo(c, below+1)
		}
		return needed > room
	})
	for i, c := range claims {
		claims[i].gets = upTo(c, level)
		room -= claims[i].gets
	}
	for i := range claims {
		if c := &claims[i]; room > 0 && c.open+c.gets == level && c.gets < c.wants {
			c.gets++
			room--
		}
	}
}
