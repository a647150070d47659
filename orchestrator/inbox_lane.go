package orchestrator

import (
	"errors"
	"fmt"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// believable refuses what a message says that whoever may send to its lane may
// not say. Who may send to which lane is for the backend to enforce: with locks
// workers reach queue.Reports and nothing else. A report counts from anywhere:
// whoever may command may do more harm than a report can.
func believable(lane string, e task.Envelope) error {
	switch {
	case e.Command == nil:
		return nil
	case lane != "":
		return fmt.Errorf("a command came by the lane %q, which is for workers' reports: it is not carried out", lane)
	case e.Report != nil:
		return errors.New("it holds both a report and a command: neither counts")
	}
	return nil
}

// mayBeAnswered reports whether what came with a delivery may name the topic of
// an answer: a worker could name anybody's.
func mayBeAnswered(d *queue.Delivery) bool { return d.Lane == "" }
