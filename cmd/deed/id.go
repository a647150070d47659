package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator"
)

// resolveID finds the process that a person means: by ID, by a prefix that
// only one has, or @latest.
func (a *app) resolveID(ctx context.Context, r *deed.Runtime, given string) (string, error) {
	if given == "@latest" {
		for p, err := range r.Processes(ctx, orchestrator.Filter{Roots: true}) {
			return p.ID, err
		}
		return "", &notFoundError{fmt.Sprintf("no process has been started in %q", a.where())}
	}
	ids, err := orchestrator.IDs(ctx, r.Events, given)
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		if id == given {
			return id, nil
		}
	}
	switch len(ids) {
	case 0:
		return "", &notFoundError{fmt.Sprintf("no process %q in %q; `%s ps` lists them", given, a.where(), program())}
	case 1:
		return ids[0], nil
	}
	var roots []string // the IDs of children begin with their root's: who writes a beginning means that
	for p, err := range r.Processes(ctx, orchestrator.Filter{Roots: true, Prefix: given}) {
		if err != nil {
			return "", err
		}
		roots = append(roots, p.ID)
	}
	switch len(roots) {
	case 0:
	case 1:
		return roots[0], nil
	default:
		slices.Sort(roots)
		ids = roots
	}
	const most = 5
	some := ids[:min(most, len(ids))]
	return "", usagef("%q may be %s of %d processes; write more of it", given, strings.Join(some, ", "), len(ids))
}
