package natsconn

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
)

// lookEvery is how often a call that waits looks whether it still has its
// connection.
const lookEvery = 50 * time.Millisecond

// Cause is why a call of Call failed: what ended it, if that was not ctx.
func Cause(ctx, call context.Context, err error) error {
	if err != nil && ctx.Err() == nil && errors.Is(err, context.Canceled) {
		return context.Cause(call)
	}
	return err
}

// Call is a context for one request and its answer. It ends after a time, and
// when the connection that the request went out on is lost: the answer is lost
// with it, and the client library would wait for it all the time. Its Err is
// context.Canceled then, while that of ctx is nil, and its Cause
// nats.ErrDisconnected. It ends so, too, when the server refuses a request to
// JetStream, with a *PermissionError for its Cause.
func Call(ctx context.Context, nc *nats.Conn, within time.Duration) (context.Context, context.CancelFunc) {
	timed, stop := context.WithTimeout(ctx, within)
	call, cancel := context.WithCancelCause(timed)
	reconnects, refusals, apis := nc.Stats().Reconnects, WatchRefusals(nc), apisOf(nc)
	go func() {
		look := time.NewTicker(lookEvery)
		defer look.Stop()
		for {
			select {
			case <-call.Done():
				return
			case <-look.C:
				if !nc.IsConnected() || nc.Stats().Reconnects != reconnects {
					cancel(nats.ErrDisconnected)
				}
				for _, api := range apis {
					if err := refusals.Of(api + "."); err != nil {
						cancel(err)
					}
				}
			}
		}
	}()
	return call, func() {
		cancel(nil)
		stop()
	}
}
