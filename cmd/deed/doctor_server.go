package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
)

// examineServer looks at the way to a server, and has it look at what it stands
// on.
func (a *app) examineServer(ctx context.Context, o doctorOptions) []deed.Finding {
	r, err := a.openServer(ctx)
	if err != nil {
		return []deed.Finding{{
			Check: "server", Status: "fail", Found: err.Error(),
			Fix: "start `deed serve` or `deed up` there, or give the right address with --server",
		}}
	}
	defer r.Close()
	all := []deed.Finding{{Check: "server", Status: "ok", Found: a.where() + " answers"}}
	found, err := r.Examine(ctx, o.Examination)
	var problem *wire.Problem
	switch {
	case errors.As(err, &problem) && problem.Code == wire.CodeForbidden:
		return append(all, deed.Finding{
			Check: "server-role", Status: "warn", Found: "what the server stands on is for admins: " + problem.Detail,
			Fix: "ask with the token of an admin in DEED_TOKEN",
		})
	case errors.As(err, &problem) && problem.Code == wire.CodeNotFound:
		return append(all, deed.Finding{
			Check: "versions", Status: "warn", Found: "the server is of an earlier version, which does not examine itself",
			Fix: fmt.Sprintf("start it again with this binary, %s", built().Version),
		})
	case err != nil:
		return append(all, deed.Finding{
			Check: "server", Status: "fail", Found: fmt.Sprintf("it does not say what it stands on: %v", err), Fix: "look into its log",
		})
	}
	return append(all, found...)
}
