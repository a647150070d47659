package deed

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/eventstore"
	"github.com/deedrun/deed/internal/folder"
	"github.com/deedrun/deed/internal/quarantine"
	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// Options say where a Runtime keeps its data and what it takes part in.
type Options struct {
	// Dir is the folder for events, queues and blobs. The first runtime of a
	// folder serves it; others join that one. Empty, with Server empty too:
	// everything is in memory and gone with the runtime.
	Dir string

	// Server joins a NATS server at this address instead, with its Token, and
	// the blob store at Blobs.
	Server string
	Token  string
	Blobs  string

	// NATS says who the runtime is for the server at Server, if no token does.
	NATS NATSCredentials

	// URL joins a server by its API instead, http://host:port, to look and to
	// ask: nothing orchestrates or works in this runtime, and the other options
	// but API, Read and Log mean nothing.
	URL string

	// API is how to speak to that server: the token to show, and whose
	// certificates are believed.
	API client.Options

	// Events is the URL of the event store: esdb://… or esdb+discover://… for
	// EventStoreDB. Empty, or "jetstream": the JetStream of the server that has
	// the queues. Who joins the server of a folder may leave it out. Queues and
	// events belong together: another event store than before is an
	// error.
	Events string

	// Join joins whoever serves Dir; nobody doing so is an *UnreachableError.
	Join bool

	// ReadOnly opens the data without orchestrating: nothing resumes.
	ReadOnly bool

	// Orchestrate makes a runtime that joins, by Server or the server of Dir,
	// orchestrate as one more replica; who serves does so anyway.
	Orchestrate bool

	// Replicas is on how many servers of a NATS cluster each message and event is
	// kept, if this runtime is the first to orchestrate there; 0: 3 in a cluster.
	// Where others were first it is 0, or the same.
	Replicas int

	// Version is that of the program, for the other replicas and for people.
	Version string

	// Alone has each task travel in a message of its own, for who measures what
	// messages cost; else one message brings many short tasks.
	Alone bool

	// Handlers makes the runtime a worker that offers them, with Workers tasks
	// at a time (0: one a core). nil: it is no worker.
	Handlers *worker.Registry
	Workers  int

	// Pool is whose tasks that worker takes. Without one it takes those that
	// name none; and if it does not join as one more (Join, Server), those of
	// every pool that has no worker of its own.
	Pool string

	// Offer is what the tasks that it executes may need together, Only are
	// patterns of the handlers that it offers, Allow of the programs that it runs
	// and AllowEnv of the variables that steps may set for those,
	// DrainTimeout is how long what it executes may take once it leaves; see
	// worker.Options. Allow nil means all, but none where the worker joined by
	// Server: a definition alone never gets to run a program on somebody's worker.
	Offer        task.Resources
	Only         []string
	Allow        []string
	AllowEnv     []string
	DrainTimeout time.Duration

	// Secrets finds what steps name as secrets; nil: in the environment, and in the
	// files of SecretsDir, if that is not empty. See worker.LocalSecrets.
	Secrets    worker.Secrets
	SecretsDir string

	// Read are URLs of folders, of buckets or of files, and of objects: data that
	// lies there may be read by reference. Else nothing is but what is given as an
	// input here, or in the folder Dir: what a process reads, whoever submits it
	// says, and the worker has the rights.
	Read []string

	// Lease is how long a task belongs to a worker that is silent; 0: 10 s. Who
	// serves decides it, for all who join.
	Lease time.Duration

	Log       *slog.Logger      // nil: slog.Default
	Metrics   *Metrics          // nil: nobody measures
	Tracer    tracing.Provider  // of OpenTelemetry (trace.TracerProvider): makes the spans of processes; nil: none are made
	Failpoint func(name string) // for tests: called where a crash is worth testing
}

// Runtime is the parts of deed put together in this process: the backends
// and, depending on the options, an orchestrator and a worker.
type Runtime struct {
	*orchestrator.Client
	Blobs *blob.Store

	// Serving reports whether this process serves the folder or the memory, so
	// that it orchestrates; false: it joined somebody who does.
	Serving bool

	// Joined is the address of the server that it joined; empty when Serving.
	Joined string

	options    Options
	remote     *client.Client // of the server that it asks by its API; nil: by none
	events     eventstore.Place
	inbox      queue.Sharded
	work       queue.Lanes
	quarantine queue.Queue
	lane       queue.Consumer         // of the worker; a runtime that only works has no other queues,
	bad        queue.Sender           // where it puts what makes no sense,
	lookLater  *quarantine.Quarantine // and, if it only works, what others put there, if somebody looks
	worker     *worker.Worker
	worked     chan struct{} // closed when the worker has ended
	stop       context.CancelFunc
	running    sync.WaitGroup
	conn       *nats.Conn // nil: there is none
	closers    []func()   // in reverse order
	closed     sync.Once
}

// Open starts a runtime, or joins the one that serves the folder already.
// ctx bounds the opening only; Close ends the runtime.
func Open(ctx context.Context, o Options) (*Runtime, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	r := &Runtime{options: o, stop: func() {}}
	if err := r.open(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Runtime) open(ctx context.Context) error {
	var err error
	if r.events, err = eventstore.At(r.options.Events); err != nil {
		return err
	}
	switch {
	case r.options.URL != "":
		err = r.openRemote(ctx)
	case r.options.Server != "":
		err = r.join(ctx, r.options.Server, r.options.Token, r.options.Blobs, r.events)
	case r.options.Dir != "":
		err = r.openFolder(ctx)
	default:
		err = r.openMemory(ctx)
	}
	if err != nil {
		return err
	}
	if err := r.allowReading(); err != nil {
		return err
	}
	r.Client.Tracer = tracing.New(r.options.Tracer)
	r.Client.Archive = &orchestrator.Archive{Events: r.Events, Blobs: r.Blobs, Failpoint: r.options.Failpoint}
	if r.options.ReadOnly {
		return nil
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	if r.Serving || r.options.Orchestrate {
		if err := r.orchestrate(running); err != nil {
			return err
		}
	}
	if r.options.Handlers != nil {
		return r.startWorker(ctx)
	}
	return nil
}

// WorkerEnded is closed when the worker has ended; nil if there is none.
func (r *Runtime) WorkerEnded() <-chan struct{} { return r.worked }

// Drain makes the worker finish what it executes and hand back what it only
// holds; it returns when that is done, or at once when ctx ends.
func (r *Runtime) Drain(ctx context.Context) {
	if r.worker == nil {
		return
	}
	r.worker.Drain()
	select {
	case <-r.worked:
	case <-ctx.Done():
	}
}

// Drained is whether the worker of this runtime was told to leave, from wherever.
func (r *Runtime) Drained() bool { return r.worker != nil && r.worker.Drained() }

// Close stops what runs and closes what is open. What was not finished can be
// resumed by the next runtime of the folder.
func (r *Runtime) Close() {
	r.closed.Do(func() {
		if r.worker != nil {
			r.worker.Close()
		}
		r.stop()
		r.running.Wait()
		r.release()
	})
}

// release closes what is open.
func (r *Runtime) release() {
	for i := len(r.closers) - 1; i >= 0; i-- {
		r.closers[i]()
	}
	r.closers = nil
}

// EventsURL is where the events are, with user and password, as Options.Events
// has it: what whoever goes on when a joined server has ended needs to know.
// Empty: in the server of the queues.
func (r *Runtime) EventsURL() string { return r.events.URL() }

// UnreachableError says that a server cannot be reached.
type UnreachableError struct{ err error }

func (e *UnreachableError) Error() string { return e.err.Error() }
func (e *UnreachableError) Unwrap() error { return e.err }

// finalError is one that the next server of the folder would give as well.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// NoFolderError says that there is no data yet in the folder of its name, Dir.
type NoFolderError = folder.NoFolderError
