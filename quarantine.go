package deed

import (
	"fmt"

	"github.com/deedrun/deed/internal/quarantine"
	"github.com/deedrun/deed/queue"
)

// Quarantine is where messages of the runtime's queues lie that could not be used.
func (r *Runtime) Quarantine() (*quarantine.Quarantine, error) {
	if r.lookLater != nil {
		return r.lookLater, nil
	}
	box, ok := r.quarantine.(queue.Browser)
	if !ok {
		return nil, fmt.Errorf("the quarantine is in a queue that cannot be browsed (%T)", r.quarantine)
	}
	return quarantine.New(box, r.Inbox, r.work), nil
}
