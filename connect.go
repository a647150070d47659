package deed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/internal/eventstore"
	"github.com/deedrun/deed/internal/folder"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
	natsqueue "github.com/deedrun/deed/queue/nats"
)

func (r *Runtime) openMemory(ctx context.Context) error {
	if r.events.Elsewhere() {
		return &eventstore.URLError{Err: fmt.Errorf("open event store %s: give a folder, too: queues in memory would be gone while their events stay", r.events)}
	}
	blobs, err := blob.Open(ctx, "mem://")
	if err != nil {
		return err
	}
	newQueue := func() *memqueue.Queue { return memqueue.NewQueue(memqueue.Options{Lease: r.lease()}) }
	r.Serving, r.Blobs = true, blobs
	r.inbox, r.work, r.quarantine = memqueue.NewSharded(memqueue.Options{Lease: r.lease()}), newQueue(), newQueue()
	r.Client = &orchestrator.Client{Events: events.New(memevents.New()), Inbox: r.inbox, Signals: memqueue.NewSignals()}
	return nil
}

// Lease is how long a task belongs to a worker that is silent.
func (r *Runtime) Lease() time.Duration {
	if r.lane != nil {
		return r.lane.Lease()
	}
	return r.work.Lease()
}

// joinLease is 0 for who takes the lease that others decided: all but who
// orchestrates.
func (r *Runtime) joinLease() time.Duration {
	if r.options.Server == "" || !r.options.Orchestrate {
		return 0
	}
	return r.options.Lease
}

func (r *Runtime) lease() time.Duration { return cmp.Or(r.options.Lease, 10*time.Second) }

// openWithin is how long a folder may neither be joined nor be free.
const openWithin = 5 * time.Second

// openFolder serves the folder, or joins whoever does. A server that has just
// started may not have said yet where it is, one that reads the folder for a
// moment never does, and one that was there may be leaving, or be a stranger
// with the number of a process that died: so it tries for a while. Who serves
// is decided by the lock alone.
func (r *Runtime) openFolder(ctx context.Context) error {
	data, err := folder.Open(r.options.Dir, !r.options.ReadOnly && !r.options.Join)
	if err != nil {
		return err
	}
	patience := time.NewTimer(openWithin)
	defer patience.Stop()
	last := folder.Address{}
	for {
		a, joinErr := server(data)
		if joinErr == nil {
			if a != last { // servers come and go: that is progress
				last = a
				patience.Reset(openWithin)
			}
			served, stop := data.WhileServed(ctx, a)
			joinErr = r.joinFolder(served, data, a)
			if joinErr != nil && served.Err() != nil && ctx.Err() == nil {
				joinErr = &UnreachableError{fmt.Errorf("open folder %q: its server ended meanwhile", r.options.Dir)}
			}
			stop()
			if joinErr == nil {
				return nil
			}
			r.release()
		}
		var final *finalError
		if r.options.Join || ctx.Err() != nil || errors.As(joinErr, &final) {
			return joinErr
		}
		inUse := r.serve(ctx, data)
		if !errors.Is(inUse, natsconn.ErrInUse) {
			return inUse
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-patience.C:
			if last == (folder.Address{}) {
				return &UnreachableError{fmt.Errorf("another process has the folder and does not serve it, such as `deed gc`, or a server that is only starting: try again later: %w", inUse)}
			}
			return &UnreachableError{fmt.Errorf("open folder %q: another process has it and cannot be joined: %w", r.options.Dir, joinErr)}
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// server is where a folder is served now; an *UnreachableError if nobody does.
func server(data folder.Folder) (folder.Address, error) {
	at, err := data.Server()
	if err != nil {
		return at, &UnreachableError{err}
	}
	return at, nil
}

// comeBack is how long a connection that was cut off needs at most until it
// tries again.
const comeBack = 300 * time.Millisecond

func (r *Runtime) serve(ctx context.Context, data folder.Folder) error {
	last, listen := data.Crashed()
	server, err := natsconn.Start(natsconn.ServerOptions{
		Dir: data.Streams(), Prefer: listen, Token: last.Token, InProcessOnly: r.options.ReadOnly, Log: r.options.Log,
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
	if err := r.connect(ctx, conn, data.Blobs(), r.events, r.lease()); err != nil {
		return fmt.Errorf("open folder %q: %w", r.options.Dir, err)
	}
	if r.options.ReadOnly {
		return nil
	}
	data.Sweep()
	r.closers = append(r.closers, data.Withdraw)
	if server.URL() == last.URL {
		select { // the roll is called when those who come back can hear it
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(comeBack):
		}
	}
	return data.Announce(folder.Address{URL: server.URL(), Token: server.Token(), PID: os.Getpid(), Events: r.events.URL()})
}

// joinFolder joins the server of a folder, which knows where the events are.
func (r *Runtime) joinFolder(ctx context.Context, data folder.Folder, a folder.Address) error {
	at, err := eventstore.At(a.Events)
	if err != nil {
		return fmt.Errorf("open folder %q: its server uses an event store that this version does not know: %w", r.options.Dir, err)
	}
	if r.options.Events != "" {
		if !r.events.Same(at) {
			return &finalError{&eventstore.OtherError{Used: at.String(), Given: r.events.String(), Remedy: "whoever serves the folder uses those; leave out --events and DEED_EVENTS to join"}}
		}
		at = r.events // the user may be another
	}
	r.events = at // also if the server ends before it is joined
	return r.join(ctx, a.URL, a.Token, data.Blobs(), at)
}

func (r *Runtime) join(ctx context.Context, url, token, blobs string, at eventstore.Place) error {
	conn, err := natsconn.Connect(ctx, url, token, natsconn.ConnOptions{Name: "deed", Log: r.options.Log, Credentials: natsconn.Credentials(r.options.NATS)})
	var wrong *natsconn.CredentialsError
	if errors.As(err, &wrong) {
		return err
	}
	if err != nil {
		return &UnreachableError{err}
	}
	r.Joined = url
	err = r.connect(ctx, conn, blobs, at, r.joinLease())
	var final *finalError
	if errors.As(err, &final) {
		return err
	}
	if errors.Is(err, events.ErrUnavailable) || errors.Is(err, queue.ErrUnavailable) {
		return &UnreachableError{err} // it is just leaving
	}
	return err
}

// servers is where the queues are, for people: in the same words whichever
// server of a cluster answers.
func (r *Runtime) servers(conn *nats.Conn) string {
	return natsconn.WithoutUsers(cmp.Or(r.Joined, conn.ConnectedUrl()))
}

// connect opens the backends over a connection. Lease 0 is that of the server.
func (r *Runtime) connect(ctx context.Context, conn *nats.Conn, blobs string, at eventstore.Place, lease time.Duration) error {
	r.closers = append(r.closers, conn.Close)
	r.attend(conn)
	store, err := blob.Open(ctx, blobs)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, func() { _ = store.Close() })
	r.Blobs = store
	if r.onlyWorks() {
		return r.openAsWorker(ctx, conn, at)
	}
	replicas, err := r.replicas(ctx, conn)
	if err != nil {
		return err
	}
	if err := r.openQueues(ctx, conn, lease, replicas); err != nil {
		return err
	}
	driver, err := r.openEvents(ctx, conn, at, replicas)
	if err != nil {
		return err
	}
	log := events.New(driver)
	r.closers = append(r.closers, func() { _ = log.Close() })
	r.Client = &orchestrator.Client{Events: log, Inbox: r.inbox, Signals: natsqueue.NewSignals(conn), Patient: at.Elsewhere()}
	return nil
}

// openEvents opens the event store that belongs to the queues of a connection.
// Its error is a *finalError, unless it is the connection's.
func (r *Runtime) openEvents(ctx context.Context, conn *nats.Conn, at eventstore.Place, replicas int) (events.Driver, error) {
	driver, err := at.Open(ctx, eventstore.Queues{Conn: conn, Dir: r.options.Dir, Replicas: replicas}, r.options.Log)
	var other *eventstore.OtherError
	var away *eventstore.AwayError
	switch {
	case errors.As(err, &other):
		return nil, &finalError{err}
	case errors.As(err, &away):
		return nil, &finalError{&UnreachableError{err}}
	}
	return driver, err
}

// inboxLease is how long a report or command belongs to an orchestrator that is
// silent. It handles one in milliseconds; what was on its way to one that a
// network cut off comes again after this time, and all else waits for it.
const inboxLease = 3 * time.Second

// Names of queues, in storage. The one with work is there if deed has been.
const (
	workQueue       = "work"
	inboxQueue      = "inbox"
	quarantineQueue = "quarantine"
)

// openQueues opens the queues. What one server alone has of tasks and reports it
// may lose in a power cut, and is spared to write at once: it is derived anew.
// Queues in the form of an earlier version are made over by who serves the folder:
// who joins one would take them away from a server of that version.
func (r *Runtime) openQueues(ctx context.Context, conn *nats.Conn, lease time.Duration, replicas int) error {
	async := replicas == 1
	work, err := natsqueue.OpenLanes(ctx, conn, natsqueue.Options{Name: workQueue, Lease: lease, Async: async, Replicas: replicas, MakeOver: r.Serving})
	if err != nil {
		return err
	}
	inbox, err := natsqueue.OpenSharded(ctx, conn, natsqueue.Options{Name: inboxQueue, Lease: min(work.Lease(), inboxLease), Async: async, Replicas: replicas, MakeOver: r.Serving})
	if err != nil {
		return err
	}
	bad, err := natsqueue.Open(ctx, conn, natsqueue.Options{Name: quarantineQueue, Lease: lease, Replicas: replicas})
	if err != nil {
		return err
	}
	r.work, r.inbox, r.quarantine = work, inbox, bad
	r.closers = append(r.closers, work.Flush, inbox.Flush)
	if r.options.Handlers == nil || r.options.ReadOnly {
		return nil
	}
	// The lane of the worker is opened here, where the next server of a folder is
	// looked for if this one leaves meanwhile.
	lane, err := work.Lane(ctx, r.options.Pool)
	if err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	r.lane, r.bad = lane, bad
	return nil
}
