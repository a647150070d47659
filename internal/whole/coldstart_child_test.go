package whole_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
	queuenats "github.com/deedrun/deed/queue/nats"
)

// coldStart tells a new operating-system process where everything is. One of
// Dir, NATS and ESDB is set.
type coldStart struct {
	Dir       string // of streams that nobody serves yet
	NATS      string // the URL of a server that runs
	Token     string
	ESDB      string
	Blobs     string
	Snapshots bool
	Began     time.Time // just before the process was made
	Answer    string    // the file for its coldTimes
}

// coldTimes is how long each part took, one after the other.
type coldTimes struct {
	Exec   time.Duration // until the first line of ours: the system, Go, package initialisation
	Server time.Duration // an embedded server recovers its folder
	Open   time.Duration // connections, streams, queues, blobs
	Resume time.Duration // the orchestrator's first step: it finds, loads and resumes the process
}

// begin does what an orchestrator does that starts, and measures it.
func (c coldStart) begin(ctx context.Context) (took coldTimes, err error) {
	lap := stopwatch(c.Began)
	took.Exec = lap()
	s := &coldShell{}
	defer s.close()
	if c.Dir != "" {
		server, err := natsconn.Start(natsconn.ServerOptions{Dir: c.Dir})
		if err != nil {
			return took, err
		}
		s.closers = append(s.closers, server.Close)
		c.NATS, c.Token = server.URL(), server.Token()
		took.Server = lap()
	}
	o, err := s.open(ctx, c)
	if err != nil {
		return took, err
	}
	took.Open = lap()
	o.First = true // as whoever serves
	owner, err := orchestrator.NewOwner(o)
	if err != nil {
		return took, err
	}
	defer owner.Close()
	if _, err := owner.Step(ctx, time.Now()); err != nil {
		return took, err
	}
	took.Resume = lap()
	return took, c.check(ctx, o, owner)
}

// check makes sure that what was measured is what is claimed: the open tasks,
// and only they, are to be done, and the snapshot was believed.
func (c coldStart) check(ctx context.Context, o orchestrator.Options, owner *orchestrator.Owner) error {
	asking, enough := context.WithTimeout(ctx, 10*time.Second)
	defer enough()
	answered := make(chan error, 1)
	go func() {
		view, err := (&orchestrator.Client{Signals: o.Signals}).Look(asking, "")
		if err == nil && (len(view.Queues) != 1 || view.Queues[0].Pending+view.Queues[0].Queued != openTasks) {
			err = fmt.Errorf("resumed %+v, which is not one process with %d open tasks", view.Queues, openTasks)
		}
		answered <- err
	}()
	for waits := true; waits; {
		if _, err := owner.Step(ctx, time.Now()); err != nil {
			return err
		}
		select {
		case err := <-answered:
			if err != nil {
				return err
			}
			waits = false
		case <-time.After(10 * time.Millisecond):
		}
	}
	if o.Snapshots == nil {
		return nil
	}
	_, from, err := o.Snapshots.Load(ctx, o.Events, "million")
	if err == nil && from == 0 {
		err = errors.New("the snapshot was not used")
	}
	return err
}

// coldShell holds what a cold start opened.
type coldShell struct{ closers []func() }

func (s *coldShell) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}

func (s *coldShell) open(ctx context.Context, c coldStart) (o orchestrator.Options, err error) {
	o.Log = slog.New(slog.DiscardHandler)
	blobs, err := blob.Open(ctx, c.Blobs)
	if err != nil {
		return o, err
	}
	s.closers = append(s.closers, func() { _ = blobs.Close() })
	if c.Snapshots {
		o.Snapshots = &orchestrator.Snapshots{Blobs: blobs, Log: o.Log}
	}
	var driver events.Driver
	if c.ESDB != "" {
		q := memqueue.Options{Lease: 10 * time.Second}
		o.Inbox, o.Work, o.Quarantine, o.Signals = memqueue.NewSharded(q), memqueue.NewQueue(q), memqueue.NewQueue(q), memqueue.NewSignals()
		driver, err = esdb.Open(ctx, c.ESDB, esdb.Options{})
	} else {
		driver, err = s.nats(ctx, c, &o)
	}
	if err != nil {
		return o, err
	}
	o.Events = events.New(driver)
	s.closers = append(s.closers, func() { _ = o.Events.Close() })
	return o, nil
}

// nats opens events and queues as a served folder has them.
func (s *coldShell) nats(ctx context.Context, c coldStart, o *orchestrator.Options) (events.Driver, error) {
	conn, err := natsconn.Connect(ctx, c.NATS, c.Token, natsconn.ConnOptions{})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, conn.Close)
	o.Signals = queuenats.NewSignals(conn)
	if o.Work, o.Inbox, o.Quarantine, err = natsQueues(ctx, conn, 0); err != nil {
		return nil, err
	}
	return eventsnats.Open(ctx, conn, eventsnats.Options{})
}

// natsQueues opens the queues as a runtime does.
func natsQueues(ctx context.Context, conn *nats.Conn, lease time.Duration) (queue.Lanes, queue.Sharded, queue.Queue, error) {
	work, err := queuenats.OpenLanes(ctx, conn, queuenats.Options{Name: "work", Lease: lease, Async: true})
	if err != nil {
		return nil, nil, nil, err
	}
	inbox, err := queuenats.OpenSharded(ctx, conn, queuenats.Options{Name: "inbox", Lease: lease, Async: true})
	if err != nil {
		return nil, nil, nil, err
	}
	bad, err := queuenats.Open(ctx, conn, queuenats.Options{Name: "quarantine", Lease: lease})
	return work, inbox, bad, err
}

// stopwatch is the time since it was last asked, at first since a moment that
// another process may have noted.
func stopwatch(since time.Time) func() time.Duration {
	return func() time.Duration {
		now := time.Now()
		took := now.Sub(since)
		since = now
		return took
	}
}
