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
func (o *Owner) load(ctx context.Context, id string) (process.State, error) {
	k, err := closed(ctx, o.Events, id)
	if err != nil {
		return process.State{}, err
	}
	if k.archived != nil {
		o.closings[id] = k
	} else {
		delete(o.closings, id)
	}
	if o.Snapshots == nil {
		return Load(ctx, o.commits(), id)
	}
	state, from, err := o.Snapshots.Load(ctx, o.Events, id)
	if err == nil && from > 0 {
		o.snapshots[id] = from
	}
	return state, err
}
