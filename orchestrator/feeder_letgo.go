package orchestrator

import (
	"slices"

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
