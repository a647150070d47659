package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/folder"
)

// backWithin is how long a server that has answered before may be away: it may
// be replaced by the next version at the same address.
const backWithin = 15 * time.Second

// openServer joins a server by its API. One that never answered is not waited
// for: nobody may be there.
func (a *app) openServer(ctx context.Context, read []string) (*deed.Runtime, error) {
	how, err := a.clientOptions()
	if err != nil {
		return nil, err
	}
	for said := false; ; {
		r, err := deed.Open(ctx, deed.Options{URL: a.server, API: how, Read: read, Log: a.log(), Tracer: a.tracer()})
		var away *deed.UnreachableError
		switch {
		case err == nil:
			a.reached, a.lost = true, time.Time{}
			return r, nil
		case !a.reached || !errors.As(err, &away) || ctx.Err() != nil:
			return nil, err
		case a.lost.IsZero():
			a.lost = time.Now()
		case time.Since(a.lost) > backWithin:
			return nil, err
		case !said:
			said = true
			fmt.Fprintf(a.stderr, "waiting for %s to come back\n", a.where())
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(time.Second / 4):
		}
	}
}

// problemExit is what problems of a server mean to a script, as far as no error
// of its own says so.
var problemExit = map[string]int{
	wire.CodeInvalid:     exitUsage,
	wire.CodeInput:       exitUsage,
	wire.CodeArchiveFile: exitUsage,
	wire.CodeNoProcess:   exitNotFound,
	wire.CodeNotFound:    exitNotFound,
	wire.CodeRemoved:     exitNotFound,
	wire.CodeNoAnswer:    exitUnreachable,

	wire.CodeUnauthorized: exitConflict,
	wire.CodeForbidden:    exitConflict,
}

// where is where deed is, for people.
func (a *app) where() string {
	if a.server != "" {
		return hidden(a.server)
	}
	return a.data
}

// served reports whether somebody goes on with the processes there: of a
// server that is known by opening it.
func (a *app) served() bool {
	if a.server != "" {
		return true
	}
	_, ok := folder.Served(a.data)
	return ok
}

// checkRemote refuses flags that are about what runs here, where all of it runs
// at a server.
func (a *app) checkRemote(command string, flags ...string) error {
	if a.server == "" {
		return nil
	}
	for _, flag := range flags {
		if a.source[flag] != "" {
			return usagef("--%s is about what runs in this process; deed %s --server runs all of it at %s", flag, command, a.where())
		}
	}
	return nil
}
