package orchestrator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
)

// Due is something that a rule asks for: a process that is to be archived, or
// an archive that is to be removed.
type Due struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Status  process.Status `json:"status,omitempty"`
	EndedAt time.Time      `json:"endedAt"`
	Remove  bool           `json:"remove,omitempty"` // its archive; else it is to be archived
	Why     string         `json:"why"`
	Root    string         `json:"root,omitempty"` // of a child: the process above all, with which it goes
}

// DueBy lists what the settings ask for at a time; nothing, after one read, if
// there are none.
func (a *Archive) DueBy(ctx context.Context, now time.Time) ([]Due, error) {
	settings, err := Retentions(ctx, a.Events)
	if err != nil || len(settings) == 0 {
		return nil, err
	}
	return a.due(ctx, func(e ended) (Due, bool) {
		if e.removed {
			return e.Due, e.left
		}
		r, ok := retentionOf(settings, e.Name)
		age, after, what := now.Sub(e.EndedAt), time.Duration(r.ArchiveAfter), "archived"
		if e.archived != nil {
			age, after, what = now.Sub(e.archived.At), time.Duration(r.RemoveAfter), "removed"
		}
		due := ok && after > 0 && age >= after
		if e.left && !due {
			return e.Due, true
		}
		e.Remove, e.Why = e.archived != nil, fmt.Sprintf("retention of %s: %s after %s", r.Name, what, Age(after))
		return e.Due, due
	})
}

// EndedBefore lists what ended before a time and is not archived; of one name,
// if that is given.
func (a *Archive) EndedBefore(ctx context.Context, before time.Time, name string) ([]Due, error) {
	return a.due(ctx, func(e ended) (Due, bool) {
		if !e.left {
			e.Why = "ended before " + before.Local().Format(time.DateTime)
		}
		return e.Due, (e.archived == nil || e.left) && !e.removed && e.EndedAt.Before(before) && (name == "" || name == e.Name)
	})
}

// ended is a process that has ended.
type ended struct {
	Due
	archived *Archived
	removed  bool
	left     bool // it was archived or removed by one who was interrupted; Why says so
}

// due lists the ended processes that pass, the oldest first, and those below
// each after it. It reads the first and the last commit of each, no more.
func (a *Archive) due(ctx context.Context, passes func(ended) (Due, bool)) ([]Due, error) {
	var all []ended
	for last, err := range a.Events.Ends(ctx, streamPrefix) {
		if err != nil {
			return nil, fmt.Errorf("look for what has ended: %w", err)
		}
		e, ok, err := a.ended(ctx, last)
		if err != nil {
			return nil, fmt.Errorf("look for what has ended: %w", err)
		}
		if !ok {
			continue
		}
		all = append(all, e)
	}
	return families(all, passes), nil
}

// ended tells from the last commit of a process whether it has ended. One that
// cannot be read has not: whoever looks at it is told why.
func (a *Archive) ended(ctx context.Context, last events.Commit) (e ended, ok bool, err error) {
	if len(last.Events) == 0 {
		return e, false, nil
	}
	k, err := closingOf(last)
	id := strings.TrimPrefix(last.Stream, streamPrefix)
	switch {
	case err != nil:
		return e, false, nil
	case k.archived != nil || k.removed != nil:
		e, err := a.endedAndClosed(ctx, id, k)
		return e, err == nil, passing(ctx, err)
	}
	r := last.Events[len(last.Events)-1]
	if r.Type == revised {
		s, err := Load(ctx, a, id)
		if err != nil || !s.Ended() {
			return e, false, passing(ctx, err)
		}
		d := Due{ID: id, Name: s.Definition.Name, Status: s.Status, EndedAt: s.EndedAt}
		if s.Parent != nil {
			d.Root = s.Parent.Root
		}
		return ended{Due: d}, true, nil
	}
	event, err := decode(r)
	if err != nil {
		return e, false, nil
	}
	d := Due{ID: id}
	if d.Status, d.EndedAt = statusBy("", event); !isEnd(d.Status) {
		return e, false, nil
	}
	started, err := a.started(ctx, id)
	if d.Name = started.Definition.Name; started.Parent != nil {
		d.Root = started.Parent.Root
	}
	return ended{Due: d}, err == nil, passing(ctx, err)
}

// endedAndClosed is a process that was archived, or removed after that.
func (a *Archive) endedAndClosed(ctx context.Context, id string, k closing) (e ended, err error) {
	s := k.summary()
	e = ended{Due: Due{ID: id, Name: s.Name, Status: s.Status, EndedAt: s.EndedAt, Root: s.Root}, archived: k.archived, removed: k.removed != nil}
	emptied, err := a.emptied(ctx, id, k)
	if e.left = !emptied; e.left {
		e.Remove, e.Why = e.removed, "whoever did this last was interrupted"
	}
	return e, err
}

// passing is an error that may be over later; another one is that of a process.
func passing(ctx context.Context, err error) error {
	if err != nil && isPassing(ctx, err) {
		return err
	}
	return nil
}

// started is the first event of a process that is not archived.
func (a *Archive) started(ctx context.Context, id string) (started process.ProcessStarted, err error) {
	for e, err := range eventsOf(ctx, a, id, 0) {
		if err != nil {
			return started, err
		}
		event, err := decode(e.Record)
		if err != nil {
			return started, err
		}
		started, ok := event.(process.ProcessStarted)
		if !ok {
			return started, fmt.Errorf("process %q: its first event is %s", id, e.Type)
		}
		return started, nil
	}
	return started, fmt.Errorf("process %q: %w", id, process.ErrNotStarted)
}
