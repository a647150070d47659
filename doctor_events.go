package deed

import (
	"context"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed/events"
	natsevents "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/doctor"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

// examinedEvents is the event store of an examination: opened when it is first
// needed, and neither made nor noted.
type examinedEvents struct {
	conn *nats.Conn
	at   eventStore
	x    *examined

	mu    sync.Mutex // several groups of checks use it at once
	store *events.Store
}

// belongs describes the event store that is said to belong to the queues of a
// connection.
func (x *examined) belongs(conn *nats.Conn, at eventStore) {
	e := &examinedEvents{conn: conn, at: at, x: x}
	x.place.Events = &doctor.Events{Name: at.String(), Elsewhere: at.elsewhere(), Open: e.check, Stored: e.stored, Refs: e.refs}
	x.closers = append(x.closers, e.close)
}

func (e *examinedEvents) note() eventsNote { return eventsNote{conn: e.conn, dir: e.x.Dir} }

// check says why the event store cannot be used by who has these queues.
func (e *examinedEvents) check(ctx context.Context) error {
	store, err := e.open(ctx)
	if err != nil || store == nil {
		return err
	}
	_, err = store.Version(ctx, "process-doctor") // whether it answers is what counts
	return err
}

// open is the store; nil, without error, if there is none yet.
func (e *examinedEvents) open(ctx context.Context) (*events.Store, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.store != nil {
		return e.store, nil
	}
	if _, err := e.note().check(ctx, e.at); err != nil {
		return nil, err
	}
	var driver events.Driver
	if e.at.elsewhere() {
		there, err := e.at.open(ctx, &Runtime{options: e.x.Options})
		if err != nil {
			return nil, err
		}
		driver = there
	} else {
		info, err := e.note().read(ctx)
		if err != nil || info == nil {
			return nil, err
		}
		there, err := natsevents.Open(ctx, e.conn, natsevents.Options{})
		if err != nil {
			return nil, err
		}
		driver = there
	}
	e.store = events.New(driver)
	return e.store, nil
}

func (e *examinedEvents) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.store != nil {
		_ = e.store.Close() // nothing was written
	}
}

// stored are the last processes by name, at most some.
func (e *examinedEvents) stored(ctx context.Context, most int) ([]string, error) {
	store, err := e.open(ctx)
	if err != nil || store == nil {
		return nil, err
	}
	ids, err := orchestrator.IDs(ctx, store, "")
	if err != nil {
		return nil, err
	}
	return ids[max(len(ids)-most, 0):], nil
}

// refs is what the state of a process refers to, as far as it is known without
// reading lists.
func (e *examinedEvents) refs(ctx context.Context, id string) ([]task.Ref, error) {
	store, err := e.open(ctx)
	if err != nil || store == nil {
		return nil, err
	}
	state, err := orchestrator.Load(ctx, store, id)
	if err != nil {
		return nil, err
	}
	held := state.Held()
	refs := held.Files
	for _, d := range held.Data {
		if d.Manifest != nil {
			refs = append(refs, d.Manifest.Ref)
		}
		for _, part := range d.Parts {
			if part.Ref != nil {
				refs = append(refs, *part.Ref)
			}
		}
	}
	return refs, nil
}
