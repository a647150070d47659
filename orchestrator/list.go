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
	Reused     int            `json:"reused,omitempty"`  // of the tasks done, those that took results of equal ones
	Skipped    int            `json:"skipped,omitempty"` // tasks that steps went on without
	Failures   int            `json:"failures,omitempty"`
	Reason     string         `json:"reason,omitempty"` // why it failed, was cancelled or is paused
	StartedAt  time.Time      `json:"startedAt"`
	EndedAt    time.Time      `json:"endedAt,omitzero"`
	Archived   bool           `json:"archived,omitempty"` // its history has been moved to a file

	Parent string `json:"parent,omitempty"` // of a child: the process that it is a task of
	Root   string `json:"root,omitempty"`   // of a child: the process above all, which has no parent
	Task   string `json:"task,omitempty"`   // of a child: which task of its parent it is

	Children map[process.Status]int `json:"children,omitempty"` // how those stand that are below it, however deep

	// Uses are the first hundred other processes whose results it took, and whose
	// blobs it refers to.
	Uses []string `json:"uses,omitempty"`
}

// list is the view of all processes, in memory, fed by a subscription. It is
// idempotent: an event it has seen is ignored, so it may be fed at least once.
type list struct {
	feed    events.Subscription
	byID    map[string]*listed
	at      place
	unknown bool // it was fed something that this version does not know
}

// place is how far a view has read: up to its last commit. That one is known by
// more than its checkpoint, since every store has a commit there.
type place struct {
	Before  events.Checkpoint `json:"before"` // of the commit before the last: reading on from there begins with the last
	At      events.Checkpoint `json:"at"`
	Commit  string            `json:"commit"`
	Stream  string            `json:"stream"`
	Version uint64            `json:"version"`
}

func (p place) of(c events.Commit) bool {
	return p.At == c.Checkpoint && p.Commit == c.ID && p.Stream == c.Stream && p.Version == c.Version()
}

// follow is the list that goes on from before a place; stop ends it.
func follow(ctx context.Context, store *events.Store, byID map[string]*listed, at place) (*list, error) {
	feed, err := store.Subscribe(ctx, streamPrefix, at.Before)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	return &list{feed: feed, byID: byID, at: at}, nil
}

// newList subscribes to the store from the beginning; stop ends it.
func newList(ctx context.Context, store *events.Store) (*list, error) {
	return follow(ctx, store, map[string]*listed{}, place{})
}

// catchUp takes in what is stored, and says how many commits were new.
func (l *list) catchUp(ctx context.Context) (commits int, err error) {
	for {
		c, ready, err := l.feed.Next(ctx, false)
		if err != nil {
			return commits, fmt.Errorf("list processes: %w", err)
		}
		if !ready {
			return commits, nil
		}
		l.take(c)
		commits++
	}
}

// catchUpTo takes in what comes until it has come to a checkpoint.
func (l *list) catchUpTo(ctx context.Context, at events.Checkpoint) error {
	for l.at.At < at {
		c, _, err := l.feed.Next(ctx, true)
		if err != nil {
			return fmt.Errorf("list processes: %w", err)
		}
		l.take(c)
	}
	return nil
}

func (l *list) stop() { l.feed.Stop() }

// all lists the processes, the latest first.
func (l *list) all() []Summary {
	all := make([]Summary, 0, len(l.byID))
	for _, p := range l.byID {
		if !p.Removed {
			all = append(all, p.summary())
		}
	}
	countChildren(all)
	slices.SortFunc(all, func(a, b Summary) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// take is fold for a commit that comes by subscription.
func (l *list) take(c events.Commit) {
	l.fold(c)
	if c.Checkpoint <= l.at.At {
		return // fed before
	}
	l.at = place{Before: l.at.At, At: c.Checkpoint, Commit: c.ID, Stream: c.Stream, Version: c.Version()}
}

func (l *list) fold(c events.Commit) {
	id := strings.TrimPrefix(c.Stream, streamPrefix)
	p := l.byID[id]
	if p == nil {
		p = newListed(Summary{ID: id})
		l.byID[id] = p
	}
	for e := range c.All() {
		if e.Version <= p.Version {
			continue
		}
		if err := p.take(e); err != nil {
			p.Reason = fmt.Sprintf("event %d: %v", e.Version, err) // shown in the list; it does not hide the others
			l.unknown = true
			continue
		}
		p.Version = e.Version
	}
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
