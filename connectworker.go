package deed

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventstore"
	"github.com/deedrun/deed/internal/quarantine"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	natsqueue "github.com/deedrun/deed/queue/nats"
)

// onlyWorks reports whether this runtime is a worker of what somebody else serves.
func (r *Runtime) onlyWorks() bool {
	return r.options.Handlers != nil && !r.options.Orchestrate && (r.options.Join || r.options.Server != "")
}

// openAsWorker opens what a worker needs, and asks the server for no more than a
// worker may: it receives from its lane, and sends to the inbox and the
// quarantine. All of these are made by who orchestrates. Everything else, such as
// the events, is tried when it is first asked for.
func (r *Runtime) openAsWorker(ctx context.Context, conn *nats.Conn, at eventstore.Place) error {
	lane, err := natsqueue.OpenTaker(ctx, conn, natsqueue.Options{Name: workQueue}, r.options.Pool)
	if errors.Is(err, natsqueue.ErrNotThere) {
		return &UnreachableError{fmt.Errorf("nobody has served deed at %s yet: start `deed serve` there", r.servers(conn))}
	}
	if err != nil {
		return notAllowed(err)
	}
	inbox, err := natsqueue.OpenShardedOutlet(conn, natsqueue.Options{Name: inboxQueue})
	if err != nil {
		return err
	}
	bad, err := natsqueue.OpenOutlet(conn, natsqueue.Options{Name: quarantineQueue})
	if err != nil {
		return err
	}
	work, err := natsqueue.OpenLanesOutlet(conn, natsqueue.Options{Name: workQueue})
	if err != nil {
		return err
	}
	r.lane, r.bad = lane, bad
	r.closers = append(r.closers, lane.Flush)
	r.lookLater = quarantine.New(laterBox{conn}, inbox, work)
	log := events.New(eventstore.Later(func(ctx context.Context) (events.Driver, error) {
		replicas, err := r.replicas(ctx, conn)
		if err != nil {
			return nil, err
		}
		return r.openEvents(ctx, conn, at, replicas)
	}))
	r.closers = append(r.closers, func() { _ = log.Close() })
	r.Client = &orchestrator.Client{Events: log, Inbox: inbox, Signals: natsqueue.NewSignals(conn), Patient: at.Elsewhere()}
	return nil
}

// notAllowed makes an error final that says what the user may not do: waiting
// changes nothing.
func notAllowed(err error) error {
	if errors.Is(err, nats.ErrPermissionViolation) {
		return &finalError{err}
	}
	return err
}

// takesFrom is where the worker of this runtime gets tasks, and where it puts
// messages that make no sense.
func (r *Runtime) takesFrom(ctx context.Context) (queue.Consumer, queue.Sender, error) {
	if r.lane != nil {
		return r.lane, r.bad, nil
	}
	lane, err := r.work.Lane(ctx, r.options.Pool)
	return lane, r.quarantine, err
}

// laterBox is the quarantine of who seldom looks into it: it is opened for each look.
type laterBox struct{ conn *nats.Conn }

func (b laterBox) Browse(ctx context.Context, after uint64, n int) ([]queue.Browsed, error) {
	q, err := natsqueue.Open(ctx, b.conn, natsqueue.Options{Name: quarantineQueue})
	if err != nil {
		return nil, err
	}
	return q.Browse(ctx, after, n)
}

func (b laterBox) Remove(ctx context.Context, number uint64) error {
	q, err := natsqueue.Open(ctx, b.conn, natsqueue.Options{Name: quarantineQueue})
	if err != nil {
		return err
	}
	return q.Remove(ctx, number)
}
