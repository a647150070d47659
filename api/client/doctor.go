package client

import (
	"context"

	"github.com/deedrun/deed/api/wire"
)

// Examine has the server look for what is wrong with what it stands on.
func (c *Client) Examine(ctx context.Context) ([]wire.Finding, error) {
	var all wire.Findings
	err := c.get(ctx, &all, nil, "v1", "doctor")
	return all.Findings, err
}
