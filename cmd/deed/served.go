package main

import (
	"context"
	"errors"
	"time"

	"github.com/deedrun/deed"
)

// errServerMoved ends what was joined to a server of the folder that is no more.
var errServerMoved = errors.New("the server of the folder has ended")

// whileServed is a context that ends when the server that a runtime joined
// ends, or another one takes its place. The runtime that is the server itself
// has no such end.
func (a *app) whileServed(ctx context.Context, r *deed.Runtime) (context.Context, context.CancelFunc) {
	served, cancel := context.WithCancelCause(ctx)
	stop := func() { cancel(nil) }
	if r.Serving {
		return served, stop
	}
	go func() {
		look := time.NewTicker(time.Second / 2)
		defer look.Stop()
		for {
			select {
			case <-served.Done():
				return
			case <-look.C:
				if now, ok := deed.Served(a.data); !ok || now != r.Joined {
					cancel(errServerMoved)
					return
				}
			case <-r.WorkerEnded():
				cancel(errServerMoved) // it could not start: open anew
				return
			}
		}
	}()
	return served, stop
}
