package deed

import (
	"context"
	"errors"
	"fmt"

	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
)

// openRemote joins a server by its API. The three seams are the client's then:
// histories are read and folded here, as of any store; commands and questions
// go through the server; of blobs those can be written that inputs need. What
// changes the stores themselves the server does, see package internal/upkeep.
func (r *Runtime) openRemote(ctx context.Context) error {
	c, err := client.New(r.options.URL, r.options.API)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, c.Close)
	log := events.New(c.Events())
	r.closers = append(r.closers, func() { _ = log.Close() })
	if _, err := c.Version(ctx); err != nil {
		return unreached(c.URL(), err)
	}
	r.options = Options{URL: r.options.URL, API: r.options.API, Read: r.options.Read, Log: r.options.Log, Tracer: r.options.Tracer, ReadOnly: true}
	r.remote, r.Joined = c, c.URL()
	r.Blobs = blob.New(c.Bucket())
	r.Client = &orchestrator.Client{Events: log, Via: c}
	return nil
}

// unreached is the error of a server that did not answer at once.
func unreached(url string, err error) error {
	if errors.Is(err, queue.ErrUnavailable) {
		return &UnreachableError{fmt.Errorf("%w; start `deed serve` or `deed up` there, or name another server than %s", err, url)}
	}
	return err
}

// Remote is the client of the server that the runtime asks by its API
// ([Options.URL]); nil: it has the stores itself.
func (r *Runtime) Remote() *client.Client { return r.remote }
