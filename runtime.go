package deed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	natsevents "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
	natsqueue "github.com/deedrun/deed/queue/nats"
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

	// Join joins whoever serves Dir; nobody doing so is an *UnreachableError.
	Join bool

	// ReadOnly opens the data without orchestrating: nothing resumes.
	ReadOnly bool

	// Handlers makes the runtime a worker that offers them, with Workers tasks
	// at a time (0: one a core). nil: it is no worker.
	Handlers *worker.Registry
	Workers  int

	Lease     time.Duration     // how long a task belongs to a silent worker; 0: 10 s
	Log       *slog.Logger      // nil: slog.Default
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
	work       queue.Queue
	quarantine queue.Queue
	worker     *worker.Worker
	worked     chan struct{} // closed when the worker has ended
	stop       context.CancelFunc
	running    sync.WaitGroup
	closers    []func() // in reverse order
	closed     sync.Once
}

// Open starts a runtime, or joins the one that serves the folder already.
// ctx bounds the opening only; Close ends the runtime.
func Open(ctx context.Context, o Options) (*Runtime, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Lease == 0 {
		o.Lease = 10 * time.Second
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
	switch {
	case r.options.Server != "":
		err = r.join(ctx, r.options.Server, r.options.Token, r.options.Blobs)
	case r.options.Dir != "":
		err = r.openFolder(ctx)
	default:
		err = r.openMemory(ctx)
	}
	if err != nil || r.options.ReadOnly {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	if r.Serving {
		if err := r.orchestrate(running); err != nil {
			return err
		}
	}
	if r.options.Handlers != nil {
		return r.startWorker()
	}
	return nil
}

func (r *Runtime) openMemory(ctx context.Context) error {
	blobs, err := blob.Open(ctx, "mem://")
	if err != nil {
		return err
	}
	newQueue := func() queue.Queue { return memqueue.NewQueue(memqueue.Options{Lease: r.options.Lease}) }
	r.Serving, r.Blobs = true, blobs
	r.Client = &orchestrator.Client{Events: events.New(memevents.New()), Inbox: newQueue(), Signals: memqueue.NewSignals()}
	r.work, r.quarantine = newQueue(), newQueue()
	return nil
}

// openWithin is how long a folder may neither be joined nor be free.
const openWithin = 5 * time.Second

// openFolder serves the folder, or joins whoever does. A server that has just
// started may not have said yet where it is, one that reads the folder for a
// moment never does, and one that was there may be leaving, or be a stranger
// with the number of a process that died: so it tries for a while. Who serves
// is decided by the lock alone.
func (r *Runtime) openFolder(ctx context.Context) error {
	folder, err := openFolder(r.options.Dir, !r.options.ReadOnly && !r.options.Join)
	if err != nil {
		return err
	}
	patience := time.NewTimer(openWithin)
	defer patience.Stop()
	last := address{}
	for {
		a, joinErr := folder.server()
		if joinErr == nil {
			if a != last { // servers come and go: that is progress
				last = a
				patience.Reset(openWithin)
			}
			served, stop := folder.whileServed(ctx, a)
			joinErr = r.join(served, a.URL, a.Token, folder.blobs())
			stop()
			if joinErr == nil {
				return nil
			}
			r.release()
		}
		if r.options.Join || ctx.Err() != nil {
			return joinErr
		}
		if err := r.serve(ctx, folder); !errors.Is(err, natsconn.ErrInUse) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-patience.C:
			return &UnreachableError{fmt.Errorf("open folder %q: another process has it and cannot be joined: %w", r.options.Dir, joinErr)}
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (r *Runtime) serve(ctx context.Context, folder folder) error {
	server, err := natsconn.Start(natsconn.ServerOptions{
		Dir: folder.streams(), InProcessOnly: r.options.ReadOnly, Log: r.options.Log,
	})
	if err != nil {
		return fmt.Errorf("open folder %q: %w", r.options.Dir, err)
	}
	r.closers = append(r.closers, server.Close)
	r.Serving = true
	conn, err := server.Connect(natsconn.ConnOptions{Name: "deed", Log: r.options.Log})
	if err != nil {
		return fmt.Errorf("open folder %q: %w", r.options.Dir, err)
	}
	if err := r.connect(ctx, conn, folder.blobs()); err != nil {
		return fmt.Errorf("open folder %q: %w", r.options.Dir, err)
	}
	if r.options.ReadOnly {
		return nil
	}
	folder.sweep()
	r.closers = append(r.closers, folder.withdraw)
	return folder.announce(address{URL: server.URL(), Token: server.Token(), PID: os.Getpid()})
}

func (r *Runtime) join(ctx context.Context, url, token, blobs string) error {
	conn, err := natsconn.Connect(ctx, url, token, natsconn.ConnOptions{Name: "deed", Log: r.options.Log})
	if err != nil {
		return &UnreachableError{err}
	}
	r.Joined = url
	err = r.connect(ctx, conn, blobs)
	if errors.Is(err, events.ErrUnavailable) || errors.Is(err, queue.ErrUnavailable) {
		return &UnreachableError{err} // it is just leaving
	}
	return err
}

// connect opens the backends over a connection.
func (r *Runtime) connect(ctx context.Context, conn *nats.Conn, blobs string) error {
	r.closers = append(r.closers, conn.Close)
	store, err := blob.Open(ctx, blobs)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, func() { _ = store.Close() })
	driver, err := natsevents.Open(ctx, conn, natsevents.Options{})
	if err != nil {
		return err
	}
	log := events.New(driver)
	r.closers = append(r.closers, func() { _ = log.Close() })
	queues := map[string]queue.Queue{}
	for _, name := range []string{"work", "inbox", "quarantine"} {
		q, err := natsqueue.Open(ctx, conn, natsqueue.Options{
			Name: name, Lease: r.options.Lease, Async: name != "quarantine",
		})
		if err != nil {
			return err
		}
		queues[name] = q
	}
	r.Blobs = store
	r.Client = &orchestrator.Client{Events: log, Inbox: queues["inbox"], Signals: natsqueue.NewSignals(conn)}
	r.work, r.quarantine = queues["work"], queues["quarantine"]
	return nil
}

func (r *Runtime) orchestrate(ctx context.Context) error {
	owner, err := orchestrator.NewOwner(orchestrator.Options{
		Events: r.Events, Inbox: r.Inbox, Work: r.work, Quarantine: r.quarantine, Signals: r.Signals,
		Log: r.options.Log, Failpoint: r.options.Failpoint,
	})
	if err != nil {
		return err
	}
	r.running.Go(func() {
		defer owner.Close()
		_ = owner.Run(ctx) // it ends with ctx
	})
	return nil
}

func (r *Runtime) startWorker() error {
	scratch := ""
	if r.options.Dir != "" {
		folder, err := openFolder(r.options.Dir, false)
		if err != nil {
			return err
		}
		if scratch, err = folder.scratch(); err != nil {
			return fmt.Errorf("open folder %q: %w", r.options.Dir, err)
		}
		r.closers = append(r.closers, func() { _ = os.RemoveAll(scratch) })
	}
	w, err := worker.New(worker.Options{
		Work: r.work, Inbox: r.Inbox, Signals: r.Signals, Quarantine: r.quarantine, Blobs: r.Blobs,
		Registry: r.options.Handlers, Slots: r.options.Workers, TempDir: scratch, Log: r.options.Log, Failpoint: r.options.Failpoint,
	})
	if err != nil {
		return err
	}
	r.worker = w
	r.worked = make(chan struct{})
	r.running.Go(func() {
		defer close(r.worked)
		if err := w.Run(context.Background()); err != nil { // until it is drained or closed
			r.options.Log.Error("worker ended", "error", err)
		}
	})
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

// UnreachableError says that a server cannot be reached.
type UnreachableError struct{ err error }

func (e *UnreachableError) Error() string { return e.err.Error() }
func (e *UnreachableError) Unwrap() error { return e.err }
