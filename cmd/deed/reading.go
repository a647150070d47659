package main

import (
	"context"
	"errors"
	"time"

	"github.com/deedrun/deed"
)

// reading opens the data folder to look at it, through its server if there is
// one. If that ends meanwhile, look is called again with the next: it must not
// print twice.
func (a *app) reading(ctx context.Context, look func(context.Context, *deed.Runtime) error) error {
	for {
		r, err := a.open(ctx, deed.Options{ReadOnly: true})
		if err != nil {
			return err
		}
		attached, stop := a.whileServed(ctx, r)
		err = look(attached, r)
		if !r.Serving && isUnavailable(err) {
			settle(attached)
		}
		moved := errors.Is(context.Cause(attached), errServerMoved)
		stop()
		r.Close()
		if err == nil || !moved || ctx.Err() != nil {
			return err
		}
	}
}

// settle waits until it is known whether a server that cannot be reached any
// more has ended: its connections end first.
func settle(attached context.Context) {
	select {
	case <-attached.Done():
	case <-time.After(time.Second):
	}
}
