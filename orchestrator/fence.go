package orchestrator

import (
	"context"
	"errors"
	"fmt"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/planted"
)

// conflictsInARow is how often a decision is made anew because somebody else
// wrote; more means two that fight.
const conflictsInARow = 8

// confirmCurrent fences a decision that led to no event. Without it, an owner
// that does not know that another one has gone on would drop, or refuse, what
// the other one asked for.
func (o *Owner) confirmCurrent(ctx context.Context, id string, version uint64) error {
	err := o.fence(ctx, id, o.stands(id, version))
	if isConflict(err) {
		o.drop(id)
	}
	return err
}

// stands is the version of the stream of a process of which a version is known: in
// one that is archived there is a record more.
func (o *Owner) stands(id string, version uint64) uint64 {
	if k := o.closings[id]; k.archived != nil {
		return k.version
	}
	return version
}

// fence says whether a stream stands where it is known to. After a conflict what is
// known of the process is to be dropped.
func (o *Owner) fence(ctx context.Context, id string, version uint64) error {
	stored, err := o.Events.Version(ctx, streamPrefix+id)
	if err != nil {
		return fmt.Errorf("process %q: %w", id, err)
	}
	if stored == version || planted.Is(planted.UnverifiedTakeover) {
		return nil
	}
	return &events.ConflictError{Stream: streamPrefix + id, Expected: events.Exactly(version), Actual: stored}
}

func isConflict(err error) bool {
	var conflict *events.ConflictError
	return errors.As(err, &conflict)
}
