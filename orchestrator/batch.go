package orchestrator

import (
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
)

// request is a command on its way through a pass.
type request struct {
	command  process.Command
	delivery *queue.Delivery // that it came with; nil: it is the owner's own
	replyTo  string
	parents  bool // it is of the process's parent, which waits for no answer
	answer   Answer
	decided  []process.Event // what followed from it
}

// batch is requests by process, so that those of one share commits. Processes
// stand in the order in which they came first.
type batch struct {
	order []string
	todo  map[string][]*request
}

func (b *batch) add(id string, requests ...*request) {
	if b.todo == nil {
		b.todo = map[string][]*request{}
	}
	if _, known := b.todo[id]; !known {
		b.order = append(b.order, id)
	}
	b.todo[id] = append(b.todo[id], requests...)
}
