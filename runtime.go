package deed

import (
	"context"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/eventstore"
	"github.com/deedrun/deed/internal/quarantine"
	"github.com/deedrun/deed/internal/tracing"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/worker"
)

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

// Open starts a runtime, or joins the one that serves the folder already. ctx
// bounds the opening only; Close ends the runtime. A server that does not answer
// is an *UnreachableError, as is a folder that another process has and does not
// serve; a folder that is only to be read or joined and is not there is a
// *NoFolderError.
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
