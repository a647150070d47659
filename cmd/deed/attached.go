package main

import (
	"context"
	"errors"
	"time"

	"github.com/deedrun/deed"
)

// attachAgain is how often attached tries another time where it lost a server that
// may be leaving, or be replaced at the same address.
const attachAgain = 3

// attached opens the data, orchestrating nothing: through the server of the folder if
// there is one. What is done there, a look or a command, begins anew with the next
// server if that one ends meanwhile: so do must not print twice.
func (a *app) attached(ctx context.Context, do func(context.Context, *deed.Runtime) error) error {
	return a.attachedWith(ctx, deed.Options{}, do)
}

// attachedWith is attached, with more said of how.
func (a *app) attachedWith(ctx context.Context, o deed.Options, do func(context.Context, *deed.Runtime) error) error {
	o.ReadOnly = true
	for again := 0; ; {
		r, err := a.open(ctx, o)
		if err != nil {
			return err
		}
		served, stop := a.whileServed(ctx, r)
		err = do(served, r)
		lost := !r.Serving && lostServer(err)
		if lost {
			settle(served)
		}
		moved := errors.Is(context.Cause(served), errServerMoved)
		stop()
		r.Close()
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case moved:
		case lost && again < attachAgain:
			again++
		default:
			return err
		}
	}
}

// lostServer reports whether an error is what comes of a server that went away.
// That of an event store elsewhere is none: opening it was waited for already.
func lostServer(err error) bool {
	var unreachable *deed.UnreachableError
	return isUnavailable(err) && !errors.As(err, &unreachable)
}

// settle waits until it is known whether a server that cannot be reached any
// more has ended: its connections end first.
func settle(attached context.Context) {
	select {
	case <-attached.Done():
	case <-time.After(time.Second):
	}
}
