package esdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/metadata"
)

// maxRedirects is how often one call follows a node to the leader it names.
const maxRedirects = 3

// conn is a client with one user at a time.
//
// That is what the client needs to be safe. It has one goroutine that owns its
// connection: when a discovery fails, that goroutine ends, and whoever waits for
// it waits for ever, whatever its context says; a Close beside a call panics;
// and a connection that is discovered anew while the old one is in use is never
// closed. With one user none of this can happen: a client that failed is closed
// by the one who saw it fail.
type conn struct {
	client   *esdb.Client
	settling sync.WaitGroup // a call of ours that outlives our caller
}

// close may be called once, by the user. It waits for nothing.
func (c *conn) close() {
	go func() {
		c.settling.Wait()
		_ = c.client.Close() // it never fails
	}()
}

// do runs f. When the node says that another one leads, nothing was done, and
// the client connects to that one by itself: then f is run again.
func (c *conn) do(ctx context.Context, f func(context.Context, *esdb.Client) error) error {
	for redirects := 0; ; redirects++ {
		err := guarded(func() error { return f(ctx, c.client) })
		if !notLeader(err) || redirects == maxRedirects {
			return err
		}
		if err := c.settle(ctx); err != nil {
			return err
		}
		if err := pause(ctx, time.Duration(redirects)*10*firstPause); err != nil {
			return err
		}
	}
}

// settle waits until the client is connected to where it was sent.
func (c *conn) settle(ctx context.Context) error {
	done := make(chan error, 1)
	c.settling.Go(func() {
		_, err := c.client.GetServerVersion()
		done <- err
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// guarded turns a panic of the client, which trusts what the server sends, into
// an error.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the client of EventStoreDB panicked: %v", p)
		}
	}()
	return f()
}

// atLeader asks a node that does not lead to say so rather than to answer. (The
// client's own option for it does not reach the server.)
func atLeader(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "requires-leader", "true")
}

// dialer makes clients.
type dialer struct {
	conf     *esdb.Configuration
	attempts int
	interval time.Duration
}

// dial connects. While it does the client ignores contexts, so ctx ends it only
// between two attempts: do not wait for it without a select.
func (d dialer) dial(ctx context.Context) (*conn, error) {
	for attempt := 1; ; attempt++ {
		client, err := esdb.NewClient(d.conf)
		if err != nil {
			return nil, err
		}
		c := &conn{client: client}
		version, err := client.GetServerVersion()
		if err == nil {
			if err = supported(version); err != nil {
				c.close()
				return nil, err
			}
			return c, nil
		}
		c.close()
		if attempt >= d.attempts || !unavailable(err) {
			return nil, &connectError{err}
		}
		if pause(ctx, d.interval) != nil {
			return nil, &connectError{err}
		}
	}
}

// connect is dial under a context: when that ends first, late gets the
// connection that comes nevertheless. Of one that does not come, failed is told
// in either case.
func (d dialer) connect(ctx context.Context, late func(*conn), failed func()) (*conn, error) {
	type dialled struct {
		c   *conn
		err error
	}
	result := make(chan dialled)
	go func() {
		c, err := d.dial(ctx)
		if err != nil {
			failed()
		}
		select {
		case result <- dialled{c, err}:
		case <-ctx.Done():
			if err == nil {
				late(c)
			}
		}
	}()
	select {
	case r := <-result:
		return r.c, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// supported refuses servers that do not say where in the log an event is when
// its stream is read (before 22.6), or when a subscription has been fed all that
// was stored.
func supported(v *esdb.ServerVersion) error {
	if v.Major > 23 || v.Major == 23 && v.Minor >= 10 {
		return nil
	}
	return fmt.Errorf("%w: it has version %d.%d.%d; use 23.10 or later", errTooOld, v.Major, v.Minor, v.Patch)
}

var errTooOld = errors.New("the server is too old")

const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
