package main

import (
	"context"
	"errors"
	"time"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/internal/folder"
)

// errServerMoved ends what was joined to a server of the folder that is no more.
var errServerMoved = errors.New("the server of the folder has ended")

// whileServed is a context that ends when the server of the folder that a
// runtime joined ends, or another one takes its place. The runtime that is the
// server itself has no such end, nor has one that asks a server by its API.
func (a *app) whileServed(ctx context.Context, r *deed.Runtime) (context.Context, context.CancelFunc) {
	return a.whileServedOr(ctx, r, 0)
}

// whileServedOr waits as long as patience if the server was killed: the next
// one takes its address, and the connection comes back by itself.
func (a *app) whileServedOr(ctx context.Context, r *deed.Runtime, patience time.Duration) (context.Context, context.CancelFunc) {
	served, cancel := context.WithCancelCause(ctx)
	stop := func() { cancel(nil) }
	if r.Serving || a.server != "" { // who is behind an address is not known
		return served, stop
	}
	go func() {
		look := time.NewTicker(time.Second / 2)
		defer look.Stop()
		seen, worker := time.Now(), r.WorkerEnded()
		for {
			select {
			case <-served.Done():
				return
			case <-look.C:
				now, ok := folder.Served(a.data)
				if ok {
					seen = time.Now()
				}
				if now != r.Joined || !ok && time.Since(seen) >= patience {
					cancel(errServerMoved)
					return
				}
			case <-worker:
				if r.Drained() { // as it was asked to; there may be more to do here
					worker = nil
					continue
				}
				cancel(errServerMoved) // it could not start: open anew
				return
			}
		}
	}()
	return served, stop
}
