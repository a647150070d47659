package doctor

import (
	"context"
	"log/slog"
	"sync"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventstore"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/task"
)

// lookedAt is the event store that is said to belong to some queues: opened when it
// is first needed, and neither made nor noted.
type lookedAt struct {
	at     eventstore.Place
	queues eventstore.Queues
	log    *slog.Logger

	mu    sync.Mutex // several groups of checks use it at once
	store *events.Store
}

func (l *lookedAt) open(ctx context.Context) (*events.Store, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store != nil {
		return l.store, nil
	}
	driver, err := l.at.Look(ctx, l.queues, l.log)
	if err != nil || driver == nil {
		return nil, err
	}
	l.store = events.New(driver)
	return l.store, nil
}

func (l *lookedAt) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store != nil {
		_ = l.store.Close() // nothing was written
	}
}

// answers says why the event store cannot be used by who has these queues.
func (e *eventStore) answers(ctx context.Context) error {
	store, err := e.Open(ctx)
	if err != nil || store == nil {
		return err
	}
	_, err = store.Version(ctx, "process-doctor") // whether it answers is what counts
	return err
}

// stored are the last processes by name, at most some.
func (e *eventStore) stored(ctx context.Context, most int) ([]string, error) {
	store, err := e.Open(ctx)
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
func (e *eventStore) refs(ctx context.Context, id string) ([]task.Ref, error) {
	store, err := e.Open(ctx)
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
