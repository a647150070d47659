package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
)

// Submit starts a process, or attaches to the one that is there under its ID. A
// definition at fault is a *definition.FaultsError, another process under that ID a
// *orchestrator.AnswerError with what differs. With an ID it may be repeated.
func (c *Client) Submit(ctx context.Context, s wire.Submit) (wire.Submitted, error) {
	var done wire.Submitted
	err := c.post(ctx, s, &done, "v1", "processes")
	return done, err
}

// Processes lists the processes that a filter chooses, the latest first.
func (c *Client) Processes(ctx context.Context, f orchestrator.Filter) iter.Seq2[orchestrator.Summary, error] {
	return func(yield func(orchestrator.Summary, error) bool) {
		query := url.Values{}
		for name, value := range map[string]string{
			"status": f.Status, "name": f.Name, "prefix": f.Prefix, "parent": f.Parent, "family": f.Family,
		} {
			if value != "" {
				query.Set(name, value)
			}
		}
		if f.Roots {
			query.Set("roots", "true")
		}
		for {
			var page wire.Processes
			if err := c.get(ctx, &page, query, "v1", "processes"); err != nil {
				yield(orchestrator.Summary{}, err)
				return
			}
			for _, p := range page.Processes {
				if !yield(p, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			query.Set("next", page.Next)
		}
	}
}

// Show is where a process stands, or stood after so many of its events; 0: now.
func (c *Client) Show(ctx context.Context, id string, at uint64) (wire.Process, error) {
	var p wire.Process
	query := url.Values{}
	if at > 0 {
		query.Set("at", strconv.FormatUint(at, 10))
	}
	err := c.get(ctx, &p, query, "v1", "processes", id)
	return p, err
}

// Cancel ends a process.
func (c *Client) Cancel(ctx context.Context, id string, who wire.Asked) (wire.Granted, error) {
	return c.grant(ctx, id, "cancel", who)
}

// Pause stops scheduling.
func (c *Client) Pause(ctx context.Context, id string, who wire.Asked) (wire.Granted, error) {
	return c.grant(ctx, id, "pause", who)
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context, id string, who wire.Asked) (wire.Granted, error) {
	return c.grant(ctx, id, "resume", who)
}

// Retry gives failed tasks a fresh budget.
func (c *Client) Retry(ctx context.Context, id string, r wire.Retry) (wire.Granted, error) {
	return c.grant(ctx, id, "retry", r)
}

// Restart runs a step again, and what follows from it.
func (c *Client) Restart(ctx context.Context, id string, r wire.Restart) (wire.Granted, error) {
	return c.grant(ctx, id, "restart", r)
}

// Set changes settings of a process.
func (c *Client) Set(ctx context.Context, id string, s wire.Settings) (wire.Granted, error) {
	return c.grant(ctx, id, "settings", s)
}

// Revise moves a process to another version of its definition.
func (c *Client) Revise(ctx context.Context, id string, r wire.Revision) (wire.Granted, error) {
	return c.grant(ctx, id, "definition", r)
}

// grant asks for something. With the ID of a command it may be repeated.
func (c *Client) grant(ctx context.Context, id, what string, body any) (wire.Granted, error) {
	var g wire.Granted
	err := c.post(ctx, body, &g, "v1", "processes", id, what)
	return g, err
}

// Outputs lists the outputs of a process that are there.
func (c *Client) Outputs(ctx context.Context, id string) ([]wire.Output, error) {
	var all wire.Outputs
	err := c.get(ctx, &all, nil, "v1", "processes", id, "outputs")
	return all.Outputs, err
}

// Parts lists the parts of an output.
func (c *Client) Parts(ctx context.Context, id, name string) iter.Seq2[wire.OutputPart, error] {
	return func(yield func(wire.OutputPart, error) bool) {
		for from := 0; ; {
			var page wire.Parts
			if err := c.get(ctx, &page, url.Values{"from": {strconv.Itoa(from)}}, "v1", "processes", id, "outputs", name); err != nil {
				yield(wire.OutputPart{}, err)
				return
			}
			for _, p := range page.Parts {
				if !yield(p, nil) {
					return
				}
			}
			from += len(page.Parts)
			if from >= page.Count || len(page.Parts) == 0 {
				return
			}
		}
	}
}

// OpenPart streams the content of a part, verified by the server.
func (c *Client) OpenPart(ctx context.Context, id, name string, part int) (io.ReadCloser, error) {
	return c.content(ctx, "v1", "processes", id, "outputs", name, strconv.Itoa(part))
}

// content streams what is at an address; what is cut off is an error.
func (c *Client) content(ctx context.Context, path ...string) (io.ReadCloser, error) {
	resp, err := c.send(ctx, request{method: http.MethodGet, path: path}) //nolint:bodyclose // the reader does
	if err != nil {
		return nil, err
	}
	return &reader{client: c, ctx: ctx, body: resp.Body, left: resp.ContentLength}, nil
}
