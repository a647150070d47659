package orchestrator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
)

// Summary is a process in a list.
type Summary struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Definition string         `json:"definitionVersion,omitempty"`
	Status     process.Status `json:"status"`
	Steps      int            `json:"steps"`
	StepsDone  int            `json:"stepsDone"`
	Tasks      int            `json:"tasks"` // of the steps that have started
	TasksDone  int            `json:"tasksDone"`
	Skipped    int            `json:"skipped,omitempty"` // tasks that steps went on without
	Failures   int            `json:"failures,omitempty"`
	Reason     string         `json:"reason,omitempty"` // why it failed, was cancelled or is paused
	StartedAt  time.Time      `json:"startedAt"`
	EndedAt    time.Time      `json:"endedAt,omitzero"`
}

// List is the view of all processes, in memory, fed by a subscription. It is
// idempotent: an event it has seen is ignored, so it may be fed at least once.
type List struct {
	feed events.Subscription
	byID map[string]*listed
}

// NewList subscribes to the store from the beginning; Stop ends it.
func NewList(ctx context.Context, store *events.Store) (*List, error) {
	feed, err := store.Subscribe(ctx, streamPrefix, 0)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	return &List{feed: feed, byID: map[string]*listed{}}, nil
}

// Step takes in the commits that are there, without waiting.
func (l *List) Step(ctx context.Context, now time.Time) (next time.Time, err error) {
	for {
		c, ready, err := l.feed.Next(ctx, false)
		if err != nil {
			return now, fmt.Errorf("list processes: %w", err)
		}
		if !ready {
			return now.Add(idle), nil
		}
		l.fold(c)
	}
}

// Stop ends the subscription.
func (l *List) Stop() { l.feed.Stop() }

// All lists the processes, the latest first.
func (l *List) All() []Summary {
	all := make([]Summary, 0, len(l.byID))
	for _, p := range l.byID {
		all = append(all, p.summary())
	}
	slices.SortFunc(all, func(a, b Summary) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (l *List) fold(c events.Commit) {
	id := strings.TrimPrefix(c.Stream, streamPrefix)
	p := l.byID[id]
	if p == nil {
		p = &listed{Summary: Summary{ID: id}, steps: map[string]*listedStep{}}
		l.byID[id] = p
	}
	for e := range c.All() {
		if e.Version <= p.version {
			continue
		}
		event, err := process.Decode(process.Stored{Type: e.Type, Schema: e.Schema, Data: e.Data})
		if err != nil {
			p.Reason = fmt.Sprintf("event %d: %v", e.Version, err) // shown in the list; it does not hide the others
			continue
		}
		p.apply(event)
		p.version = e.Version
	}
}

// Summarise lists the processes of a store as they are now.
func Summarise(ctx context.Context, store *events.Store) ([]Summary, error) {
	l := &List{byID: map[string]*listed{}}
	streams, err := store.Streams(ctx, streamPrefix)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	for _, stream := range streams {
		for c, err := range store.ReadCommits(ctx, stream, 0) {
			if err != nil {
				return nil, fmt.Errorf("list processes: %w", err)
			}
			l.fold(c)
		}
	}
	return l.All(), nil
}

// IDs lists the IDs of all processes that begin with prefix.
func IDs(ctx context.Context, store *events.Store, prefix string) ([]string, error) {
	streams, err := store.Streams(ctx, streamPrefix)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var ids []string
	for _, s := range streams {
		if id := strings.TrimPrefix(s, streamPrefix); strings.HasPrefix(id, prefix) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
