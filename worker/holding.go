package worker

import (
	"time"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// holding is a message on lease to this worker. Worker.mu guards all but
// delivery, header and tasks, which never change.
type holding struct {
	*header

	delivery queue.Delivery
	tasks    task.Ranges

	since    time.Time // received
	extended time.Time // the lease was started last
	todo     cursor    // not begun
	waits    bool      // it is in Worker.waiting
	reported taskSet   // or about to be, without having been executed
	open     int       // tasks not reported: at 0 the message can be acknowledged
	trace    string    // that its tasks belong to; "": none
	gone     bool      // lease lost or process cancelled: nothing of it counts any more

	stuckAt    uint64    // while it waits for room: how many executions had begun by then,
	stuckSince time.Time // and when that was
}

// stretch is consecutive tasks of a message. The first is the one with that
// ordinal, from 0, among all of the message.
type stretch struct {
	task.Range

	ordinal int
}

// cursor walks the tasks of a message in order; what is put back comes first.
type cursor struct {
	back    []stretch
	rest    task.Ranges
	offset  int // in the first range
	ordinal int
}

func (c *cursor) empty() bool { return len(c.back) == 0 && len(c.rest) == 0 }

// take is the next tasks, at least one, and at most so many. The cursor is not empty.
func (c *cursor) take(most int) stretch {
	if len(c.back) > 0 {
		s := c.back[0]
		if s.Count > most {
			c.back[0].skip(most)
			s.Count = most
		} else {
			c.back = c.back[1:]
		}
		return s
	}
	first := c.rest[0]
	s := stretch{task.Range{First: first.First + c.offset, Count: min(most, first.Count-c.offset)}, c.ordinal}
	c.ordinal += s.Count
	if c.offset += s.Count; c.offset == first.Count {
		c.rest, c.offset = c.rest[1:], 0
	}
	return s
}

func (s *stretch) skip(n int) {
	s.First, s.Count, s.ordinal = s.First+n, s.Count-n, s.ordinal+n
}

func (c *cursor) putBack(s stretch) { c.back = append(c.back, s) }

// len is how many there are left.
func (c *cursor) len() int {
	n := c.rest.Len() - c.offset
	for _, s := range c.back {
		n += s.Count
	}
	return n
}

// left is what take has not returned yet.
func (c *cursor) left() task.Ranges {
	var left taskSet
	for i, r := range c.rest {
		if i == 0 {
			r.First, r.Count = r.First+c.offset, r.Count-c.offset
		}
		left.add(r)
	}
	for _, s := range c.back {
		left.add(s.Range)
	}
	return left.ranges
}
