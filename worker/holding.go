package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// holding is a message on lease to this worker. Worker.mu guards all but
// delivery and work, which never change.
type holding struct {
	delivery queue.Delivery
	work     *task.Work

	since    time.Time // received
	extended time.Time // the lease was started last
	todo     cursor    // not begun
	begun    int       // tasks begun
	running  []*execution
	finished []int  // executed, not reported
	open     int    // tasks not reported: at 0 the message can be acknowledged
	trace    string // that its tasks belong to; "": none
	gone     bool   // lease lost or process cancelled: nothing of it counts any more

	stuckAt    uint64    // while it waits for room: how many executions had begun by then,
	stuckSince time.Time // and when that was
}

// execution is one task being executed. It occupies a slot.
type execution struct {
	*holding
	index   int
	ordinal int
	number  uint64 // of the executions of the worker, in the order in which they began
	began   time.Time
	ctx     context.Context
	cancel  context.CancelCauseFunc
	span    string // of the trace that it belongs to; "": none
	at      atomic.Pointer[progress]
}

// cursor walks a set of tasks in order.
type cursor struct {
	rest   task.Ranges
	offset int // in the first range
}

func (c *cursor) next() (index int, ok bool) {
	if len(c.rest) == 0 {
		return 0, false
	}
	index = c.rest[0].First + c.offset
	if c.offset++; c.offset == c.rest[0].Count {
		c.rest, c.offset = c.rest[1:], 0
	}
	return index, true
}

// len is how many there are left.
func (c *cursor) len() int { return c.rest.Len() - c.offset }

// left is what next has not returned yet.
func (c *cursor) left() task.Ranges {
	if len(c.rest) == 0 {
		return nil
	}
	left := slices.Clone(c.rest)
	left[0].First += c.offset
	left[0].Count -= c.offset
	return left
}

// decode reads a message of the work queue. An error means that it makes no
// sense to any worker of this version, so that nobody can be told either.
func decode(d queue.Delivery) (*task.Work, error) {
	var work task.Work
	if err := json.Unmarshal(d.Body, &work); err != nil {
		return nil, fmt.Errorf("it is no task: %w", err)
	}
	if err := queue.CheckKey(work.Process); err != nil {
		return nil, fmt.Errorf("its process: %w", err)
	}
	for segment := range strings.SplitSeq(work.Address, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return nil, fmt.Errorf("it is for the address %q: that is none", clip(work.Address))
		}
	}
	switch {
	case len(work.Tasks) == 0:
		return nil, fmt.Errorf("it names no tasks")
	case work.Attempt < 0 || work.Generation < 0:
		return nil, fmt.Errorf("it is for attempt %d of generation %d", work.Attempt, work.Generation)
	case work.Limits.Memory < 0 || work.Limits.CPUTime < 0 || work.Limits.OpenFiles < 0:
		return nil, fmt.Errorf("it limits a program to less than nothing")
	case work.Needs.CPU < 0 || work.Needs.Memory < 0 || work.Needs.GPU < 0:
		return nil, fmt.Errorf("it needs %s, which is less than nothing", work.Needs)
	}
	return &work, nil
}
