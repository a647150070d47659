package orchestrator

import (
	"slices"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
)

// letGo forgets the processes of shards. What is on the work queue of them
// stays there: the next holder sweeps it.
func (f *feeder) letGo(shards queue.Shards) {
	for id := range f.feeds {
		if shards.Holds(id) {
			f.end(id)
		}
	}
	f.purges = slices.DeleteFunc(f.purges, shards.Holds)
}

// handOver takes off tasks that no worker has any more, though they are not
// over: they go on as children.
func (f *feeder) handOver(id string, e process.Enqueue) {
	fd := f.feeds[id]
	if fd == nil || fd.rows[e.Address] == nil {
		return
	}
	fd.rows[e.Address].comeBack(e.Tasks, func(s sending) bool {
		return s.attempt == e.Attempt && s.generation == e.Generation
	})
}
