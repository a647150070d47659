package deed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/internal/eventstore"
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
func (r *Runtime) openQueues(ctx context.Context, conn *nats.Conn, lease time.Duration, replicas int) error {
	async := replicas == 1
	work, err := natsqueue.OpenLanes(ctx, conn, natsqueue.Options{Name: workQueue, Lease: lease, Async: async, Replicas: replicas})
	if err != nil {
		return err
	}
	inbox, err := natsqueue.OpenSharded(ctx, conn, natsqueue.Options{Name: inboxQueue, Lease: min(work.Lease(), inboxLease), Async: async, Replicas: replicas})
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
