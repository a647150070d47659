package orchestrator

import "context"

// Closed says whether a process was archived, or removed after that. Of a
// process that is neither, or that nobody started, both are nil.
func (a *Archive) Closed(ctx context.Context, id string) (*Archived, *Removed, error) {
	k, err := closed(ctx, a.Events, id)
	return k.archived, k.removed, err
}

// Refusal is the *process.RefusedError of any command that would change a
// process which was archived or removed; nil for others.
func (a *Archive) Refusal(ctx context.Context, id string) error {
	k, err := closed(ctx, a.Events, id)
	if err != nil {
		return err
	}
	if refused := k.refusal(); refused != nil {
		return refused
	}
	return nil
}
