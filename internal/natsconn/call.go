package natsconn

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
)

// lookEvery is how often a call that waits looks whether it still has its
// connection.
const lookEvery = 50 * time.Millisecond

// Call is a context for one request and its answer. It ends after a time, and
// when the connection that the request went out on is lost: the answer is lost
// with it, and the client library would wait for it all the time. Its Err is
// context.Canceled then, while that of ctx is nil, and its Cause
// nats.ErrDisconnected.
func Call(ctx context.Context, nc *nats.Conn, within time.Duration) (context.Context, context.CancelFunc) {
	timed, stop := context.WithTimeout(ctx, within)
	call, cancel := context.WithCancelCause(timed)
	reconnects := nc.Stats().Reconnects
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
			}
		}
	}()
	return call, func() {
		cancel(nil)
		stop()
	}
}
