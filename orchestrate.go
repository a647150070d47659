package deed

import (
	"context"

	"github.com/deedrun/deed/orchestrator"
)

// orchestrate makes this runtime one of the replicas that share the processes
// among themselves. It lets go of its share when ctx ends.
func (r *Runtime) orchestrate(ctx context.Context) error {
	owner, err := orchestrator.NewOwner(orchestrator.Options{
		Events: r.Events, Inbox: r.inbox, Work: r.work, Quarantine: r.quarantine, Signals: r.Signals,
		First: r.Serving, Version: r.options.Version, Alone: r.options.Alone,
		Snapshots: &orchestrator.Snapshots{Blobs: r.Blobs, Log: r.options.Log},
		Cache:     &orchestrator.Cache{Blobs: r.Blobs, Log: r.options.Log},
		Archive:   r.Archive, Log: r.options.Log, Metrics: r.options.Metrics.Orchestrator(), Tracer: r.Client.Tracer, Failpoint: r.options.Failpoint,
	})
	if err != nil {
		return err
	}
	r.attendQueues()
	r.running.Go(func() {
		defer owner.Close()
		_ = owner.Run(ctx) // it ends with ctx
	})
	if err := r.keepLanes(ctx, func() bool { return owner.Holds(keepersShard) }); err != nil {
		return err
	}
	keeper := &orchestrator.Keeper{Archive: r.Archive, Log: r.options.Log, Turn: func() bool { return owner.Holds(keepersShard) }}
	r.running.Go(func() { keeper.Run(ctx) })
	return nil
}

// keepersShard is the one whose holder does what is to be done once, whatever
// the number of replicas.
const keepersShard = 0
