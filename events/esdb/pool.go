package esdb

import (
	"context"
	"errors"
	"sync"
)

// poolSize is how many calls are on their way at once; more wait their turn.
const poolSize = 8

// pool lends connections, each to one user at a time. A connection that was
// idle longest is used last, so that a quiet process uses one.
type pool struct {
	dialer dialer
	slots  chan struct{} // one taken for each connection that is lent or being made

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

func newPool(d dialer, size int) *pool {
	return &pool{dialer: d, slots: make(chan struct{}, size)}
}

var errClosed = errors.New("the store is closed")

// get lends a connection, an idle one or a new one.
func (p *pool) get(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	closed := p.closed
	var c *conn
	if n := len(p.idle); n > 0 {
		c = p.idle[n-1]
		p.idle = p.idle[:n-1]
	}
	p.mu.Unlock()
	if closed {
		<-p.slots
		return nil, errClosed
	}
	if c != nil {
		return c, nil
	}
	c, err := p.dialer.connect(ctx, func(c *conn) { p.put(c, false) }, func() { <-p.slots })
	return c, err
}

// put takes a connection back. After a failure the others that are idle are
// taken for failed as well: they led to the same server.
func (p *pool) put(c *conn, failed bool) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	var discard []*conn
	if failed || p.closed {
		discard, p.idle = p.idle, nil
	}
	p.mu.Unlock()
	for _, c := range discard {
		c.close()
	}
	<-p.slots
}

// close closes the connections, those that are lent when they come back.
func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}
