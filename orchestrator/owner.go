package orchestrator

import (
	"sync/atomic"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// Topics of the signals among orchestrators and people; those of workers are
// with [task.TopicHeartbeat].
const (
	TopicReplica = "replica" // orchestrators: Announcement, twice a second and on every change
	topicAsk     = "ask"     // people: question, answered with a View
)

// Owner is the single writer of the processes of its shards: it turns what comes
// into the inbox into events, and events into work. Owners share the shards
// among themselves, see members.
//
// An Owner is used by one goroutine: either Run, or whoever calls Step.
type Owner struct {
	Options
	processes map[string]*process.State
	closings  map[string]closing  // of those of processes that are archived
	ended     []string            // those of processes that have ended, oldest first
	dropped   map[string]struct{} // not in processes any more, to be loaded again
	timers    timers
	feeder    *feeder
	children  *children
	searches  searches
	running   *running
	beats     queue.Listener
	questions queue.Listener
	replicas  queue.Listener
	members   *members
	voice     voice
	shards    queue.Shards      // held: their processes are loaded, and their messages come in
	holding   atomic.Uint64     // the same, for other goroutines
	taking    *takeover         // under way; nil: none
	snapshots map[string]uint64 // by process: the version of the latest
	saving    chan struct{}     // holds a token while a snapshot is being stored; nil: see isStepped
	late      map[string]int    // by process: tasks reported done when they were not open any more
	refusals  refusals          // of tasks, by workers
	backlog   []queue.Delivery  // received, but the store was not available
	taken     taken             // of those
	asked     time.Time         // the timeout manager's last look
	sights    sights
}

// NewOwner prepares an Owner; nothing is read before the first Step.
func NewOwner(o Options) (*Owner, error) {
	if o.Window <= 0 {
		o.Window = mostOut
	}
	if o.Failpoint == nil {
		o.Failpoint = func(string) {}
	}
	if o.Replica == "" {
		o.Replica = newReplicaName()
	}
	o.Log = logTo(o.Log).With("replica", o.Replica)
	var listeners []queue.Listener
	for _, topic := range []string{task.TopicHeartbeat, topicAsk, TopicReplica} {
		l, err := o.Signals.Subscribe(topic)
		if err != nil {
			for _, open := range listeners {
				open.Stop()
			}
			return nil, err
		}
		listeners = append(listeners, l)
	}
	running := newRunning(o.Work.Lease())
	feeder := newFeeder(o.Work, o.Window, running)
	feeder.alone = o.Alone
	return &Owner{
		Options:   o,
		processes: map[string]*process.State{},
		closings:  map[string]closing{},
		dropped:   map[string]struct{}{},
		feeder:    feeder,
		children:  newChildren(),
		running:   running,
		beats:     listeners[0],
		questions: listeners[1],
		replicas:  listeners[2],
		members:   newMembers(o.Replica, o.Version, o.First),
		voice:     voice{signals: o.Signals},
		snapshots: map[string]uint64{},
		late:      map[string]int{},
		refusals:  refusals{},
	}, nil
}

// isStepped reports whether somebody calls Step: then all is done in the step.
func (o *Owner) isStepped() bool { return o.saving == nil }

// Close stops listening. The Owner must not be stepped any more.
func (o *Owner) Close() {
	o.beats.Stop()
	o.questions.Stop()
	o.replicas.Stop()
	o.Metrics.See(nil)
}
