package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

var _ orchestrator.Via = (*Client)(nil)

// Send sends a command to a process and returns when what follows from it is
// stored. A refusal is a *orchestrator.AnswerError. While the orchestrator does
// not answer, because it is just changing hands, it is asked again until ctx
// ends: a command counts once.
func (c *Client) Send(ctx context.Context, id string, command process.Command) (orchestrator.Answer, error) {
	encoded, err := process.EncodeCommand(command)
	if err != nil {
		return orchestrator.Answer{}, err
	}
	for {
		var a orchestrator.Answer
		err := c.post(ctx, json.RawMessage(encoded), &a, "v1", "processes", id, "commands")
		if IsCode(err, wire.CodeNoAnswer) && ctx.Err() == nil {
			continue
		}
		var refused *orchestrator.AnswerError
		if errors.As(err, &refused) {
			a = orchestrator.Answer{Error: refused.Text, Refused: true, Differs: refused.Differs}
			return a, refused
		}
		if err != nil {
			return a, fmt.Errorf("ask process %q: %w", id, err)
		}
		return a, nil
	}
}

// Look asks what the orchestrators see of a process, or of all, right now.
func (c *Client) Look(ctx context.Context, id string) (orchestrator.View, error) {
	for {
		var v orchestrator.View
		query := url.Values{}
		if id != "" {
			query.Set("process", id)
		}
		err := c.call(ctx, request{method: http.MethodGet, path: []string{"v1", "look"}, query: query}, nil, &v)
		if IsCode(err, wire.CodeNoAnswer) && ctx.Err() == nil {
			continue
		}
		if err != nil {
			err = fmt.Errorf("ask the orchestrator: %w", err)
		}
		return v, err
	}
}
