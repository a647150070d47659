package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/deedrun/deed"
)

// lookForServer is how long a role waits before it looks for its server again.
const lookForServer = time.Second / 2

// inRole does what a role does with one server after the other, until ctx ends
// or the role is over: whoever supervises it need not know in which order they
// start. during ends with the server, with ctx, or when the role is over. An
// error is one that waiting does not help.
func (a *app) inRole(ctx context.Context, o deed.Options, during func(ctx context.Context, r *deed.Runtime) (over bool, err error)) error {
	o.Tracer = a.tracer()
	said := map[string]bool{} // one reason may take turns with another, as the servers of a cluster do
	for {
		r, err := deed.Open(ctx, o)
		var unreachable *deed.UnreachableError
		var noFolder *deed.NoFolderError
		switch {
		case ctx.Err() != nil:
			if err == nil {
				r.Close()
			}
			return nil
		case err == nil:
			clear(said)
			over, err := during(ctx, r)
			r.Close()
			if over || err != nil {
				return err
			}
		case !errors.As(err, &unreachable) && !errors.As(err, &noFolder):
			return err
		case o.Server != "" && errors.Is(err, nats.ErrAuthorization): // the token is not going to become another one
			return err
		case !said[err.Error()]:
			said[err.Error()] = true
			fmt.Fprintf(a.stderr, "waiting for %s: %v\n", where(o), err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookForServer):
		}
	}
}

// where is what a role stands on, for people.
func where(o deed.Options) string {
	at := hidden(o.Server)
	if o.Dir != "" {
		at = "the folder " + o.Dir
	}
	if o.Pool != "" {
		at += ", pool " + o.Pool
	}
	return at
}
