package orchestrator

import (
	"context"
	"errors"
	"time"

	"github.com/deedrun/deed/events"
)

// asideAfter is for how long the event store may be away from a replica, before
// others get what it holds: they may still reach it.
const asideAfter = 15 * time.Second

// aside reports whether a step failed for the event store, as others did before
// it for a while, and there are other replicas. The last one stays.
func (o *Owner) aside(since time.Time, err error) bool {
	return errors.Is(err, events.ErrUnavailable) && time.Since(since) >= asideAfter && len(o.members.others) > 0
}

// standAside leaves everything to the other replicas until the event store can
// be reached again, or ctx ends. Then it joins them anew.
func (o *Owner) standAside(ctx context.Context) error {
	if err := o.Leave(ctx); err != nil {
		return err
	}
	o.Log.Warn("orchestrator: the event store cannot be reached from here; the other replicas go on with what this one had")
	for ctx.Err() == nil {
		_, err := o.Events.Version(ctx, streamPrefix+"-") // no process has this ID
		if !errors.Is(err, events.ErrUnavailable) {
			o.Log.Warn("orchestrator: the event store can be reached again")
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	o.members = newMembers(o.members.name, o.members.version, false)
	o.running.listenAnew()
	return context.Cause(ctx)
}
