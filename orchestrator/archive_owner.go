package orchestrator

import (
	"context"

	"github.com/deedrun/deed/orchestrator/process"
)

// commits is what the owner reads histories from.
func (o *Owner) commits() Commits {
	if o.Archive != nil {
		return o.Archive
	}
	return o.Events
}

// load is the state of a process from its snapshot and what follows it, or from
// its archive. Whether it is archived is remembered with it, until it is dropped.
func (o *Owner) load(ctx context.Context, id string) (state process.State, err error) {
	delete(o.closings, id)
	last, started, err := o.Events.Last(ctx, streamPrefix+id)
	if err != nil {
		return state, err
	}
	var k closing
	if started {
		if k, err = closingOf(last); err != nil {
			return state, err
		}
	}
	from := uint64(0)
	switch {
	case o.Snapshots == nil || k.archived != nil:
		state, err = Load(ctx, o.commits(), id)
	case started: // else there is nothing to read
		state, from, err = o.Snapshots.Load(ctx, o.Events, id)
	}
	if err != nil {
		return state, err
	}
	if from > 0 {
		o.snapshots[id] = from
	}
	if k.archived != nil {
		o.closings[id] = k
	}
	return state, nil
}
