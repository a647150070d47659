package orchestrator

import (
	"log/slog"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/queue"
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
