package deed

import (
	"context"
	"errors"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

// standing is how a process stood when its state was read.
type standing struct {
	version uint64
	all     bool // it keeps all that lies below its name
}

// mark reads the state of each process, and notes what it keeps.
func (c *collection) mark(ctx context.Context) error {
	ids, err := orchestrator.IDs(ctx, c.runtime.Events, "")
	if err != nil {
		return err
	}
	if len(ids) == 0 && c.Delete {
		return ErrNoProcesses
	}
	for _, id := range ids {
		version, err := orchestrator.Version(ctx, c.runtime.Events, id) // first, so that what comes in between shows
		var s process.State
		if err == nil {
			s, err = c.load(ctx, id)
		}
		if err == nil {
			err = c.hold(ctx, s)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, events.ErrUnavailable):
			return err
		case err != nil:
			c.processes[id] = standing{all: true}
			c.report.Unread = append(c.report.Unread, GCUnread{Process: id, Error: err.Error()})
			continue
		}
		recent := s.EndedAt.After(c.before)
		c.processes[id] = standing{version: version, all: recent || !s.Ended() && !c.lax.open}
	}
	return nil
}

func (c *collection) load(ctx context.Context, id string) (process.State, error) {
	snapshots := &orchestrator.Snapshots{Blobs: c.runtime.Blobs, Log: c.runtime.options.Log}
	s, _, err := snapshots.Load(ctx, c.runtime.Events, id)
	if err != nil {
		return s, err
	}
	return s, s.Damage()
}

// hold notes what a state refers to. Of a process that goes on, too: its inputs
// do not lie below its name.
func (c *collection) hold(ctx context.Context, s process.State) error {
	held := s.Held()
	for _, ref := range held.Files {
		c.held.Add(ref.Key)
	}
	for _, d := range held.Data {
		if err := c.runtime.Blobs.AddDataset(ctx, &c.held, d); err != nil {
			return err
		}
	}
	for _, source := range held.Reported {
		if err := c.runtime.Blobs.AddSource(ctx, &c.held, source); err != nil {
			return err
		}
	}
	return nil
}
