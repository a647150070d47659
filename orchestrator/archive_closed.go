package orchestrator

import "context"

// Closed says whether a process was archived, or removed after that. Of a
// process that is neither, or that nobody started, both are nil.
func (a *Archive) Closed(ctx context.Context, id string) (*Archived, *Removed, error) {
	k, err := closed(ctx, a.Events, id)
	return k.archived, k.removed, err
}
