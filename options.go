package deed

import (
	"log/slog"
	"time"

	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// Options say where a Runtime keeps its data and what it takes part in. The zero
// Options keep all in memory. Data is in one of four places: in memory, in a folder
// (Dir), at a NATS server (Server, Blobs), or with a server that is asked by its API
// (URL). Who serves a folder or the memory orchestrates; Orchestrate adds a replica,
// and Handlers make the runtime a worker as well.
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
	// events belong together: another event store than before is an error.
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

	// Offer is what the tasks that it executes may need together; of what it leaves
	// out, that is all the cores and the memory that this process may use, and no device.
	Offer task.Resources

	// Only are patterns of the handlers that it offers of those that it has; nil: all.
	Only []string

	// Allow are patterns of the programs that it runs. nil: all, but none where the
	// worker joined by Server: a definition alone never gets to run a program on
	// somebody's worker.
	Allow []string

	// AllowEnv are patterns of the variables that steps may set for those programs; see
	// worker.Options.
	AllowEnv []string

	// DrainTimeout is how long what it executes may take once it leaves; 0: 10 s.
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

// NATSCredentials say who a role is for a NATS server, by files such as
// `deed auth nats` writes, and whom it believes to be that server.
type NATSCredentials struct {
	NKeyFile  string // the seed of an nkey
	CredsFile string // a user's JWT and seed, where the accounts of NATS are an operator's
	CAFile    string // certificates of who may have signed the server's; none: those that the system knows
}
