package main

import (
	"context"
	"errors"
	"time"

	"github.com/deedrun/deed"
)

// lookAgain is how often reading tries another time where it lost a server that
// may be leaving, or be replaced at the same address.
const lookAgain = 3

// reading opens the data folder to look at it, through its server if there is
// one. If that ends meanwhile, look is called again with the next: it must not
// print twice.
func (a *app) reading(ctx context.Context, look func(context.Context, *deed.Runtime) error) error {
	return a.readingWith(ctx, deed.Options{}, look)
}

// readingWith is reading, with more said of how.
func (a *app) readingWith(ctx context.Context, o deed.Options, look func(context.Context, *deed.Runtime) error) error {
	o.ReadOnly = true
	for again := 0; ; {
		r, err := a.open(ctx, o)
		if err != nil {
			return err
		}
		attached, stop := a.whileServed(ctx, r)
		err = look(attached, r)
		lost := !r.Serving && lostServer(err)
		if lost {
			settle(attached)
		}
		moved := errors.Is(context.Cause(attached), errServerMoved)
		stop()
		r.Close()
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case moved:
		case lost && again < lookAgain:
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
