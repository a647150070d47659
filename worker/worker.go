package worker

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// Options of a worker. Work, Inbox, Signals and Blobs are required.
type Options struct {
	Name       string         // unique among workers; "": host, process ID and a random text
	Version    string         // of the program, for people
	Work       queue.Consumer // where tasks come from: the lane of the pool
	Inbox      queue.Sender   // where reports go
	Signals    queue.Signals  // heartbeats, roll calls, cancels
	Blobs      *blob.Store
	Registry   *Registry    // nil: only the built-in handlers, and programs
	Quarantine queue.Sender // takes messages that make no sense; nil: they stay on the work queue

	// Pool is whose tasks it takes, and Work the lane of it. AnyPool is for a
	// worker without one that takes those of every pool, where they are sent to it.
	Pool    string
	AnyPool bool

	// Slots are how many tasks it executes at a time; 0: one a core. Offer is
	// what those may need together; of what it leaves out, that is all the cores,
	// and all the memory, that this process may use, and no device.
	Slots int
	Offer task.Resources

	// Only are patterns of the handlers of Registry that it offers, such as
	// "words/*" (path.Match; one without a version is for all of them); nil: all.
	Only []string

	// Allow are patterns of the programs that definitions may run on it, such as
	// "python3 count.py *"; nil: all. The words are those of a shell, a wildcard
	// stands for what is in one name, and * as the last word for any others.
	// Scripts are allowed by "sh" or "*" only.
	Allow []string

	// AllowEnv are patterns of the variables that a step may set for programs that
	// Allow names, such as "PG*" (path.Match): a variable can make a program load
	// another's code. Where Allow is nil, or allows "*", any may be set, and for
	// scripts and handlers they always may.
	AllowEnv []string

	// Secrets finds what steps name as secrets; nil: LocalSecrets without a
	// directory. Whoever may send tasks to this worker can use all that it finds.
	Secrets Secrets

	DrainTimeout time.Duration // how long running tasks may take once the worker is to leave; 0: 10 s
	Grace        time.Duration // how long a handler may take once its context ended; 0: 5 s

	ProgramGrace time.Duration // from SIGTERM to SIGKILL; 0: 2 s
	KeepIdle     time.Duration // how long a program that is kept alive stays without a task; 0: 1 minute
	TempDir      string        // where programs get their private directories; "": os.TempDir()

	Metrics   *metrics.Worker   // nil: nobody measures
	Log       *slog.Logger      // nil: slog.Default()
	Tracer    tracing.Provider  // of OpenTelemetry (trace.TracerProvider); nil: no spans are made
	Now       func() time.Time  // nil: time.Now
	Nonce     func() string     // a new text of a-z and 0-9 each time; nil: 16 random hexadecimal digits
	Failpoint func(name string) // called at "worker.before-report" and "worker.after-report"; for tests
}

// Worker executes tasks. It runs once: by [Worker.Run], or by [Worker.Step]
// from a single goroutine.
type Worker struct {
	opt      Options
	tools    *tools
	tracer   tracing.Tracer
	programs programs // that it may run

	began     atomic.Bool
	leave     chan struct{} // closed by Drain
	drain     sync.Once
	hurry     chan struct{} // closed by Close
	closing   sync.Once
	told      atomic.Bool // by a signal, to leave
	deaf      atomic.Bool // the last look into the queue failed
	abandoned atomic.Int64

	headers  headers       // of whoever receives
	out      outbox        // of whoever reports
	gathered chan struct{} // holds a token after a result was added
	steps    steps         // of who steps it

	mu        sync.Mutex // guards all that follows
	startable sync.Cond  // a task may be started, or the worker drains
	roomy     sync.Cond  // there may be room for messages, or the worker drains
	held      map[*holding]struct{}
	waiting   []*holding   // with tasks not begun, oldest first
	stuck     *holding     // of waiting: the first, which has no room; see next
	unstarted int          // tasks in waiting
	executing []*execution // one a slot in use, also of tasks that no longer count
	starts    uint64       // executions that have begun
	busy      int          // tasks in executing, begun or not, of which nothing has come yet
	results   *gathering
	pace      pace
	draining  bool
}

// New is a worker that does nothing yet.
func New(o Options) (*Worker, error) {
	for what, missing := range map[string]bool{
		"Work": o.Work == nil, "Inbox": o.Inbox == nil, "Signals": o.Signals == nil, "Blobs": o.Blobs == nil,
	} {
		if missing {
			return nil, fmt.Errorf("create worker: Options.%s is missing", what)
		}
	}
	if o.Slots < 0 || o.Offer.CPU < 0 || o.Offer.Memory < 0 || o.Offer.GPU < 0 || o.DrainTimeout < 0 || o.Grace < 0 || o.ProgramGrace < 0 || o.KeepIdle < 0 {
		return nil, errors.New("create worker: Options has a negative number; leave it zero for the default")
	}
	programs, err := o.limit()
	if err != nil {
		return nil, fmt.Errorf("create worker: %w", err)
	}
	if o.Nonce == nil {
		o.Nonce = randomNonce
	}
	if o.Name == "" {
		o.Name = defaultName(o.Nonce())
	}
	o.Slots = cmp.Or(o.Slots, runtime.GOMAXPROCS(0))
	o.DrainTimeout = cmp.Or(o.DrainTimeout, 10*time.Second)
	o.Grace = cmp.Or(o.Grace, 5*time.Second)
	o.ProgramGrace = cmp.Or(o.ProgramGrace, 2*time.Second)
	o.KeepIdle = cmp.Or(o.KeepIdle, time.Minute)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Secrets == nil {
		o.Secrets = LocalSecrets("", o.Log)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Failpoint == nil {
		o.Failpoint = func(string) {}
	}
	w := &Worker{
		opt:      o,
		tracer:   tracing.New(o.Tracer),
		held:     map[*holding]struct{}{},
		results:  newGathering(),
		gathered: make(chan struct{}, 1),
		leave:    make(chan struct{}),
		hurry:    make(chan struct{}),
		programs: programs,
	}
	w.startable.L, w.roomy.L = &w.mu, &w.mu
	w.opt.Log = o.Log.With("worker", o.Name)
	w.tools = newTools(w)
	return w, nil
}

// limit fills in what the worker may be given to do.
func (o *Options) limit() (allowed programs, err error) {
	if o.Registry == nil {
		o.Registry = NewRegistry()
	}
	o.Pool = poolName(o.Pool)
	if o.Pool != "" {
		if err := queue.CheckKey(o.Pool); err != nil {
			return allowed, fmt.Errorf("the pool: %w", err)
		}
		if o.AnyPool {
			return allowed, fmt.Errorf("it has the pool %q and takes the tasks of any: say one of them", o.Pool)
		}
	}
	if o.Only != nil {
		if o.Registry, err = o.Registry.only(o.Only); err != nil {
			return allowed, err
		}
	}
	o.Offer = offer(o.Offer)
	if allowed, err = parsePrograms(o.Allow); err == nil {
		err = allowed.setVariables(o.AllowEnv)
	}
	return allowed, err
}

// Abandoned counts the handlers that went on after their context and grace had
// ended, and whose goroutines were left to themselves.
func (w *Worker) Abandoned() int { return int(w.abandoned.Load()) }

func randomNonce() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b[:])
}

func defaultName(nonce string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	host, _, _ = strings.Cut(host, ".")
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), nonce)
}

// Ready says why the worker does not take tasks; nil: it does, or would if it
// had a free slot.
func (w *Worker) Ready() error {
	switch {
	case !w.began.Load():
		return errors.New("the worker has not begun")
	case ended(w.leave):
		return errors.New("the worker leaves, and takes nothing more")
	case w.deaf.Load():
		return errors.New("the worker cannot receive tasks; it tries again")
	}
	return nil
}
