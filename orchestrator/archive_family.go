package orchestrator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator/process"
)

// A child is archived, and its archive removed, with the process above all: that
// one's lists refer to what the child wrote, and settings are for roots. So a
// child is due when its root is, and after it.

// dueWith says whether a child is due, by its root.
func (e ended) dueWith(root ended, rootDue Due, rootIsDue bool) (Due, bool) {
	d := e.Due
	gone, toGo := root.archived != nil || root.removed, rootIsDue && !root.left
	switch {
	case e.left:
		return d, true
	case e.removed:
		return d, false
	case e.archived == nil:
		d.Why = "archived with " + root.ID
		return d, gone || toGo && !rootDue.Remove
	}
	d.Remove, d.Why = true, "removed with "+root.ID
	return d, root.removed || toGo && rootDue.Remove
}

// families has children follow on what their roots come to.
func families(all []ended, passes func(ended) (Due, bool)) []Due {
	roots := make(map[string]ended, len(all))
	for _, e := range all {
		if e.Root == "" {
			roots[e.ID] = e
		}
	}
	var due []Due
	for _, e := range all {
		d, ok := e.Due, false
		if e.Root == "" {
			d, ok = passes(e)
		} else if root, hasEnded := roots[e.Root]; hasEnded {
			rootDue, rootIsDue := passes(root)
			d, ok = e.dueWith(root, rootDue, rootIsDue)
		}
		if ok {
			due = append(due, d)
		}
	}
	family := func(d Due) ended { return roots[cmp.Or(d.Root, d.ID)] }
	slices.SortFunc(due, func(a, b Due) int {
		return cmp.Or(
			family(a).EndedAt.Compare(family(b).EndedAt), strings.Compare(cmp.Or(a.Root, a.ID), cmp.Or(b.Root, b.ID)),
			strings.Compare(a.Root, b.Root), a.EndedAt.Compare(b.EndedAt), strings.Compare(a.ID, b.ID))
	})
	return due
}

// withRoot refuses what is to be done to a child before it is done to its root.
// A root that this store never had holds up nothing: the child was imported.
func (a *Archive) withRoot(ctx context.Context, id, root, what string, isDone func(closing) bool) error {
	if root == "" {
		return nil
	}
	last, known, err := a.Events.Last(ctx, streamPrefix+root)
	if err != nil || !known {
		return err
	}
	k, err := closingOf(last)
	if err != nil || isDone(k) {
		return err
	}
	return &process.RefusedError{Process: id, Reason: fmt.Sprintf("it is below %s, whose outputs refer to what it wrote: %s %s, and it is %s too", root, what, root, what+"d")}
}
