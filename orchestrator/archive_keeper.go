package orchestrator

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
)

const (
	keeperEvery = time.Hour
	keeperAgain = time.Minute // after a backend was not available
	keeperTurn  = time.Second // while it is another's turn, which may end any time
)

// Keeper does what the retention settings ask for, by itself. Any number of
// them may do so in the same store.
type Keeper struct {
	Archive *Archive
	Log     *slog.Logger // nil: slog.Default

	// Turn, if set, says whether it is this one who does so now, of several that
	// know of each other: so that not each of them reads the whole store.
	Turn func() bool

	next time.Time
}

// Run steps until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	for ctx.Err() == nil {
		next, err := k.step(ctx, time.Now())
		if err != nil && ctx.Err() == nil {
			logTo(k.Log).Warn("retention: trying again", "at", next, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(next)):
		}
	}
}

// step does what is due now, if it is time to look again, and says when it is
// next. A process that cannot be archived is told of, and holds up no other;
// an error is of the store.
func (k *Keeper) step(ctx context.Context, now time.Time) (next time.Time, err error) {
	if now.Before(k.next) {
		return k.next, nil
	}
	if k.Turn != nil && !k.Turn() {
		k.next = now.Add(keeperTurn)
		return k.next, nil
	}
	k.next = now.Add(keeperEvery)
	due, err := k.Archive.DueBy(ctx, now)
	for _, d := range due {
		done, failed := k.Archive.do(ctx, d, process.Asked{By: "retention", Reason: d.Why}, now)
		switch {
		case failed != nil && isPassing(ctx, failed):
			err = failed
		case failed != nil:
			logTo(k.Log).Warn("retention: a process is left as it is", "process", d.ID, "error", failed)
		case done && d.Remove:
			logTo(k.Log).Info("retention: an archive was removed", "process", d.ID, "reason", d.Why)
		case done:
			logTo(k.Log).Info("retention: a process was archived", "process", d.ID, "reason", d.Why)
		}
		if err != nil {
			break
		}
	}
	if err != nil {
		k.next = now.Add(keeperAgain)
		return k.next, fmt.Errorf("retention: %w", err)
	}
	return k.next, nil
}
