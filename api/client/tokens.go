package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/deedrun/deed/api/wire"
)

// IssueToken issues a token. Its text is in the answer, and nowhere else: if the
// answer is lost, revoke it and issue another.
func (c *Client) IssueToken(ctx context.Context, wish wire.NewToken) (issued wire.IssuedToken, err error) {
	err = c.post(ctx, wish, &issued, "v1", "tokens")
	return issued, err
}

// Tokens lists the tokens in the order in which they were issued, those that
// open nothing any more, too.
func (c *Client) Tokens(ctx context.Context) ([]wire.Token, error) {
	var list wire.Tokens
	err := c.get(ctx, &list, nil, "v1", "tokens")
	return list.Tokens, err
}

// RevokeToken makes a token open nothing any more; known is false if there is no
// such token. The same again changes nothing.
func (c *Client) RevokeToken(ctx context.Context, id, by string) (revoked wire.Token, known bool, err error) {
	query := url.Values{}
	if by != "" {
		query.Set("by", by)
	}
	known, err = found(c.call(ctx, request{method: http.MethodDelete, path: []string{"v1", "tokens", id}, query: query}, nil, &revoked))
	return revoked, known, err
}

// WhoAmI is who asks, to the server.
func (c *Client) WhoAmI(ctx context.Context) (who wire.Principal, err error) {
	err = c.get(ctx, &who, nil, "v1", "whoami")
	return who, err
}
