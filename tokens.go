package deed

import (
	"context"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
)

// Who has the folder may issue tokens for the servers of it: he could change the
// events themselves. Of a server that is asked by its API its admins may.

// IssueToken issues a token for the API; its text is told here, and never again.
func (r *Runtime) IssueToken(ctx context.Context, wish wire.NewToken) (wire.IssuedToken, error) {
	if r.remote != nil {
		return r.remote.IssueToken(ctx, wish)
	}
	issue := access.Issue{Name: wish.Name, Role: wish.Role, Processes: wish.Processes, By: wish.By}
	if wish.ExpiresAfter != 0 {
		issue.Expires = time.Now().Add(time.Duration(wish.ExpiresAfter))
	}
	token, text, err := access.NewTokens(r.Events, nil).Issue(ctx, issue)
	return wire.IssuedToken{Token: token, Text: text}, err
}

// Tokens lists the tokens for the API, those that open nothing any more, too.
func (r *Runtime) Tokens(ctx context.Context) ([]wire.Token, error) {
	if r.remote != nil {
		return r.remote.Tokens(ctx)
	}
	all, err := access.NewTokens(r.Events, nil).List(ctx)
	list := make([]wire.Token, len(all))
	for i, t := range all {
		list[i] = wire.TokenOf(t, time.Now())
	}
	return list, err
}

// RevokeToken makes a token open nothing any more, at all servers; known is
// false if there is no such token.
func (r *Runtime) RevokeToken(ctx context.Context, id, by string) (token wire.Token, known bool, err error) {
	if r.remote != nil {
		token, err = r.remote.RevokeToken(ctx, id, by)
		return token, err == nil, err
	}
	revoked, known, err := access.NewTokens(r.Events, nil).Revoke(ctx, id, by)
	return wire.TokenOf(revoked, time.Now()), known, err
}

// WhoAmI is who asks: to a server that is asked by its API whoever shows the
// token, and else whoever has the folder, who may do everything.
func (r *Runtime) WhoAmI(ctx context.Context) (wire.Principal, error) {
	if r.remote != nil {
		return r.remote.WhoAmI(ctx)
	}
	return wire.Principal{Role: access.Local().Role}, nil
}
