package gc

import (
	"context"
	"errors"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// standing is how a process stood when its state was read.
type standing struct {
	version uint64
	all     bool   // it keeps all that lies below its name
	archive string // the key of the file that its history is in
	removed bool   // it was archived, and that was removed: it keeps nothing
}

// closed reports whether the process can never go on.
func (s standing) closed() bool { return s.removed || s.archive != "" }

// mark reads the state of each process, and notes what it keeps.
func (c *collection) mark(ctx context.Context) error {
	ids, err := orchestrator.IDs(ctx, c.archive.Events, "")
	if err != nil {
		return err
	}
	if len(ids) == 0 && c.Delete {
		return ErrNoProcesses
	}
	for _, id := range ids {
		s, err := c.stand(ctx, id)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, events.ErrUnavailable):
			return err
		case err != nil:
			s = standing{all: true}
			c.report.Unread = append(c.report.Unread, wire.GCUnread{Process: id, Error: err.Error()})
		}
		c.processes[id] = s
	}
	return nil
}

func (c *collection) stand(ctx context.Context, id string) (standing, error) {
	version, err := orchestrator.Version(ctx, c.archive.Events, id) // first, so that what comes in between shows
	if err != nil {
		return standing{}, err
	}
	s := standing{version: version}
	archive := c.archive
	archived, removed, err := archive.Closed(ctx, id)
	if err != nil {
		return s, err
	}
	if removed != nil {
		s.removed, s.all = true, removed.At.After(c.before)
		return s, nil
	}
	var state process.State
	if archived != nil {
		s.archive, s.all = archived.Archive.Key, archived.At.After(c.before)
		state, err = orchestrator.Load(ctx, archive, id)
	} else {
		snapshots := &orchestrator.Snapshots{Blobs: c.archive.Blobs, Log: c.Log}
		state, _, err = snapshots.Load(ctx, c.archive.Events, id)
	}
	if err == nil {
		err = state.Damage()
	}
	if err != nil {
		return s, err
	}
	s.all = s.all || state.EndedAt.After(c.before) || !state.Ended() && !c.Without.Open
	return s, c.hold(ctx, state)
}

// hold notes what a state refers to. Of a process that goes on, too: its inputs
// do not lie below its name.
func (c *collection) hold(ctx context.Context, s process.State) error {
	held := s.Held()
	for _, ref := range held.Files {
		c.held.Add(ref.Key)
	}
	for _, d := range held.Data {
		if err := c.held.AddDataset(ctx, c.archive.Blobs, d); err != nil {
			return err
		}
	}
	for _, source := range held.Reported {
		if err := c.held.AddSource(ctx, c.archive.Blobs, source); err != nil {
			return err
		}
	}
	return nil
}
