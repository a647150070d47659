package orchestrator

import (
	"encoding/json"
	"fmt"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// letter makes the messages of tasks of one attempt at a step, of one state. What
// they have in common is encoded once.
type letter struct{ header task.Header }

// about is the message about some of the tasks.
func (l *letter) about(s *process.State, e queued) ([]byte, error) {
	if l.header != nil {
		return l.header.WithTasks(e.Tasks), nil
	}
	w, err := workOf(s, e.Enqueue)
	if err != nil {
		return nil, err
	}
	w.Refresh = w.Refresh || w.Cache && e.looked
	var body []byte
	if w.TaskLists() {
		body, err = json.Marshal(w)
	} else if l.header, err = w.Header(); err == nil {
		body = l.header.WithTasks(e.Tasks)
	}
	if err != nil {
		return nil, fmt.Errorf("encode the message of %s[%d]: %w", e.Address, e.Tasks[0].First, err)
	}
	return body, nil
}
