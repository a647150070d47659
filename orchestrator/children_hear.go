package orchestrator

import (
	"context"
	"fmt"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// ordersAtOnce is how many children one step stops or pauses.
const ordersAtOnce = 512

// hearing is a child that said that it has begun, or goes on.
type hearing struct {
	parent  string
	birth   birth
	attempt int
	held    bool // and stands still, since its parent wanted that
}

// begun notes a child that said so, until the owner hears it.
func (c *children) begun(parent string, r task.Result) {
	c.heard = append(c.heard, hearing{parent, birth{r.Address, r.Generation, r.Tasks[0].First}, r.Attempt, r.Held})
}

// hearChildren takes in which children go on, and stops those that nobody wants.
// A decision against one is fenced: an owner that does not know that another one
// has gone on would stop what that one has started.
func (o *Owner) hearChildren(ctx context.Context, now time.Time) error {
	for len(o.children.heard) > 0 {
		h := o.children.heard[0]
		s, err := o.state(ctx, h.parent)
		switch {
		case err != nil && isPassing(ctx, err):
			return err
		case err != nil || s.Damage() != nil: // its children may go on meanwhile
		case s.Status == process.Running && isWanted(s, h.birth, h.attempt):
			o.children.hear(h, now)
		default:
			err := o.confirmCurrent(ctx, h.parent, s.Version)
			if isConflict(err) {
				return nil // in the next step, by what it is now
			}
			if err != nil {
				return err
			}
			kind := toStop
			if isWanted(s, h.birth, h.attempt) {
				kind = toHold // it is paused
			}
			o.children.order(s, h.birth, h.attempt, kind)
		}
		o.children.heard = o.children.heard[1:]
	}
	return nil
}

// hear notes that a child goes on.
func (c *children) hear(h hearing, now time.Time) {
	f := c.family(h.parent)
	known := f.born[h.birth]
	switch {
	case known == nil || known.attempt != h.attempt:
		if known != nil && !known.heard {
			f.unheard--
		}
		known = &born{attempt: h.attempt}
		f.born[h.birth] = known
	case !known.heard:
		f.unheard--
	}
	known.heard, known.starts, known.again = true, 0, now.Add(silentFor)
	if known.looked != nil {
		known.looked = looked{}
	}
	if h.held { // by what its parent said before: it has not heard yet that it is to go on, or never will
		known.again = now
	}
	c.await(h.parent)
}

// orderKind is what a parent wants of a child.
type orderKind uint8

const (
	toStop orderKind = iota + 1 // for good: it is not needed any more
	toHold                      // until it is started again
)

// order is a command from a parent to a child.
type order struct {
	parent, child string
	kind          orderKind
}

// order has a child stopped or paused. One that was never started, or has ended,
// refuses that, and nothing comes of it.
func (c *children) order(s *process.State, b birth, attempt int, kind orderKind) {
	root := s.ID
	if s.Parent != nil {
		root = s.Parent.Root
	}
	child := process.ChildID(process.Parent{Process: s.ID, Address: b.address, Generation: b.generation, Index: b.index, Attempt: attempt, Root: root})
	c.orders = append(c.orders, order{parent: s.ID, child: child, kind: kind})
}

// orderAll does so with all that are under way, if there are any.
func (c *children) orderAll(s *process.State, kind orderKind) (has bool) {
	for _, e := range s.Children() {
		for i := range e.Tasks.All() {
			c.order(s, birth{e.Address, e.Generation, i}, e.Attempt, kind)
			has = true
		}
	}
	return has
}

// asParent is how a process signs what it asks of its children.
func asParent(id string) process.Asked { return process.Asked{By: ParentSign + id} }

// ParentSign begins how a process signs what it asks of its children; what
// follows is its ID. No person is called so.
const ParentSign = "parent "

func (o order) command() process.Command {
	if o.kind == toHold {
		return process.PauseProcess{Asked: asParent(o.parent)}
	}
	return process.CancelProcess{Asked: asParent(o.parent)}
}

// sendOrders sends what children are told to do.
func (o *Owner) sendOrders(ctx context.Context) error {
	some := o.children.orders[:min(len(o.children.orders), ordersAtOnce)]
	if len(some) == 0 {
		return nil
	}
	messages := make([]queue.Message, 0, len(some))
	for _, one := range some {
		message, err := commandMessage(one.child, one.command(), "")
		if err != nil {
			return err
		}
		messages = append(messages, message)
	}
	if err := o.Inbox.Send(ctx, messages...); err != nil {
		return fmt.Errorf("stop or pause children: %w", err)
	}
	o.children.orders = o.children.orders[len(some):]
	return nil
}

// isChild reports whether the tasks of a step are children, as far as memory knows.
func (o *Owner) isChild(id, address string) bool {
	s := o.processes[id]
	if s == nil {
		return false
	}
	step, isStep := s.Step(address)
	return isStep && step.Process != nil
}

// ofChild refuses a result about a child that cannot be. Of what becomes of
// children orchestrators tell; a worker at most of what one reads.
func (o *Owner) ofChild(d *queue.Delivery, r task.Result) error {
	switch {
	case r.Outcome != task.Begun && r.Outcome != task.Prepared && r.Lists == nil:
		return nil
	case d.Lane != "" && r.Outcome != task.Prepared:
		return fmt.Errorf("a worker said what became of a child, by the lane %q: that is for orchestrators to say", d.Lane)
	case len(r.Tasks) != 1 || r.Tasks[0].Count != 1:
		return fmt.Errorf("a child is one task, and the report is of %d", r.Tasks.Len())
	}
	return nil
}
