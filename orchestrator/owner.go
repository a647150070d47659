package orchestrator

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/internal/tracing"
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

// streamPrefix begins the names of the streams of processes.
const streamPrefix = "process-"

const (
	inboxBatch = 1024            // messages received in one step
	commitSize = 512 << 10       // bytes of encoded events after which a commit is closed
	finish     = time.Second     // how long a step may go on that is under way when the owner is to end
	leave      = 2 * time.Second // how long letting go may take then
	rollCall   = time.Second     // how long a takeover waits for workers to say what they hold
	idle       = time.Second / 4 // the longest wait of a step with nothing to do: questions are answered between two
	retryAfter = time.Second / 4 // after a backend was not available
	endedKept  = 128             // ended processes kept in memory, for late reports
)

// Options are the backends and limits of an Owner.
type Options struct {
	Events     *events.Store
	Inbox      queue.Sharded // reports and commands
	Work       queue.Queue
	Quarantine queue.Queue // messages that cannot be used; they are never dropped
	Signals    queue.Signals

	// Replica is the name among the replicas, which no other one may have; "": one
	// that is made up.
	Replica string

	// First takes all shards at once: nobody else can be there yet, since this
	// process serves the queues. Others listen first.
	First bool

	Version string // of the binary, for the other replicas and for people

	// Snapshots, if set, makes loading a process with a long history quick.
	Snapshots *Snapshots

	// Archive, if set, is where the histories of processes are that were moved
	// out of the store; without it they cannot be read.
	Archive *Archive

	// Cache, if set, is where tasks find the results of equal ones that ran earlier.
	// Without it only workers look there.
	Cache *Cache

	// Window is how many messages of one pool of workers may be on the work queue or
	// with workers at most, however many these are; the rest stays with the
	// feeder. 0: 4096.
	Window int

	// Alone has each task travel in a message of its own, however short it is; else
	// one message brings as many short tasks as a worker does in a few hundredths of
	// a second.
	Alone bool

	Log    *slog.Logger   // nil: slog.Default
	Tracer tracing.Tracer // of processes that were submitted in a trace

	Metrics *metrics.Orchestrator // nil: nobody measures

	// Failpoint, if set, is called where a crash is worth testing.
	Failpoint func(name string)
}

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
	saving    chan struct{}     // holds a token while a snapshot is being stored; nil: it is stored in the step
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
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Failpoint == nil {
		o.Failpoint = func(string) {}
	}
	if o.Replica == "" {
		o.Replica = newReplicaName()
	}
	o.Log = o.Log.With("replica", o.Replica)
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

// Close stops listening. The Owner must not be stepped any more.
func (o *Owner) Close() {
	o.beats.Stop()
	o.questions.Stop()
	o.replicas.Stop()
	o.Metrics.See(nil)
}

// looksAtOnce is how often at a time an owner looks into the store because of what
// heartbeats name.
const looksAtOnce = 256

// listen takes in the heartbeats that have come.
func (o *Owner) listen(ctx context.Context, now time.Time) {
	looks := looksAtOnce
	for {
		select {
		case body, ok := <-o.beats.C():
			if !ok {
				return
			}
			beat, err := decodeHeartbeat(body)
			if err != nil {
				o.Log.Warn("orchestrator: a heartbeat that cannot be read is ignored", "error", err)
				continue
			}
			o.running.beat(now, beat)
			o.cancelLeftovers(ctx, beat, &looks)
		case body, ok := <-o.questions.C():
			if !ok {
				return
			}
			o.answerQuestion(ctx, now, body)
		default:
			o.Metrics.Silent(o.running.expire(now))
			return
		}
	}
}

// cancelLeftovers tells a worker again to stop what it still holds of a
// process that has ended badly, or of a generation that is out of date: it may
// have missed the first signal. A process that this owner has not heard of was
// ended by an earlier one, which may have died before it took the messages off
// the queue: loading it makes up for that. What another owner sent since is no
// leftover: so the store is asked before. The processes of others are none of
// this owner's business.
//
// A worker may name anything: it must not keep the owner from its work, nor have
// it cancel what others execute. What is left out the next heartbeat names again.
func (o *Owner) cancelLeftovers(ctx context.Context, beat task.Heartbeat, looks *int) {
	for _, hold := range beat.Holding {
		if !o.shards.Holds(hold.Process) {
			continue
		}
		if known := o.processes[hold.Process]; known != nil && !isLeftover(known, hold) {
			continue
		}
		if *looks == 0 {
			return
		}
		*looks--
		s, err := o.state(ctx, hold.Process)
		if err == nil && isLeftover(s, hold) {
			if err = o.confirmCurrent(ctx, hold.Process, s.Version); isConflict(err) {
				s, err = o.state(ctx, hold.Process)
			}
		}
		switch {
		case err != nil && isPassing(ctx, err): // the next heartbeat names it again
		case err != nil:
			o.Log.Warn("orchestrator: a worker holds tasks of a process that cannot be loaded", o.inLog(hold.Process, "worker", beat.Worker, "error", err)...)
		case !isLeftover(s, hold):
		case s.Status == process.Failed || s.Status == process.Cancelled:
			o.cancel(ctx, task.Cancel{Process: hold.Process})
		default:
			before := s.Generation(hold.Address)
			if before < 0 { // a revision took the step out: nobody is to execute it
				before = hold.Generation + 1
			}
			o.cancel(ctx, task.Cancel{Process: hold.Process, Before: map[string]int{hold.Address: before}})
		}
	}
}

// isLeftover reports whether a worker had better stop what it holds.
func isLeftover(s *process.State, h task.Hold) bool {
	current := s.Generation(h.Address)
	return s.Status == process.Failed || s.Status == process.Cancelled || current < 0 || h.Generation < current
}
