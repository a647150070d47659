package client

import "context"

// Examine has the server look for what is wrong with what it stands on, into a
// slice of deed.Finding, whose package uses this one.
func (c *Client) Examine(ctx context.Context, findings any) error {
	return c.get(ctx, &struct {
		Findings any `json:"findings"`
	}{findings}, nil, "v1", "doctor")
}
