package orchestrator

import (
	"context"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
)

// Record decides on a command that a person gives at a time, and stores what
// follows, for a store that nobody orchestrates right now. None of the effects is
// performed: whoever takes over derives them from what is stored. If somebody
// orchestrates after all, one of the two decides again on what the other stored.
// The error of a command that is refused is a *process.RefusedError.
func Record(ctx context.Context, store *events.Store, id string, at time.Time, c process.Command) (process.State, error) {
	c, err := asOf(at, c)
	if err != nil {
		return process.State{}, err
	}
	for conflicts := 0; ; conflicts++ {
		k, err := closed(ctx, store, id)
		if err != nil {
			return process.State{}, err
		}
		if why := k.refusal(); why != nil {
			return process.State{}, why
		}
		s, err := Load(ctx, store, id)
		if err != nil {
			return s, err
		}
		decided, err := process.Decide(s, c)
		if err != nil || len(decided) == 0 {
			return s, err
		}
		records, err := appendRecords(nil, id, decided)
		if err != nil {
			return s, err
		}
		_, err = store.Append(ctx, streamPrefix+id, events.Exactly(s.Version), ulid.Make().String(), records...)
		if isConflict(err) && conflicts < conflictsInARow {
			continue
		}
		if err != nil {
			return s, fmt.Errorf("process %q: %w", id, err)
		}
		return process.Fold(s, decided...), nil
	}
}

// asOf is a command as it arrives at a time, wherever it was made.
func asOf(at time.Time, c process.Command) (process.Command, error) {
	encoded, err := process.EncodeCommand(c)
	if err != nil {
		return nil, err
	}
	return process.DecodeCommand(encoded, at)
}

// Granted is the event by which a person's command was granted, among those
// after a version; nil if there is none, since there was nothing to grant.
func Granted(ctx context.Context, from Commits, id string, after uint64, command string) (process.Event, error) {
	for e, err := range eventsOf(ctx, from, id, after) {
		if err != nil {
			return nil, fmt.Errorf("history of process %q: %w", id, err)
		}
		event, err := decode(e.Record)
		if err != nil {
			return nil, fmt.Errorf("history of process %q: event %d: %w", id, e.Version, err)
		}
		if asked, ok := process.AskedIn(event); ok && asked.Command == command {
			return event, nil
		}
	}
	return nil, nil
}
