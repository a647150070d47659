package upkeep

import (
	"context"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
)

// Who has the folder may issue tokens for the servers of it: he could change the
// events themselves. Of a server that is asked by its API its admins may.

func (l local) IssueToken(ctx context.Context, wish wire.NewToken) (wire.IssuedToken, error) {
	issue := access.Issue{Name: wish.Name, Role: wish.Role, Processes: wish.Processes, By: wish.By}
	if wish.ExpiresAfter != 0 {
		issue.Expires = time.Now().Add(time.Duration(wish.ExpiresAfter))
	}
	token, text, err := l.tokens.Issue(ctx, issue)
	return wire.IssuedToken{TokenInfo: token.TokenInfo, Text: text}, err
}

func (l local) Tokens(ctx context.Context) ([]wire.Token, error) {
	all, err := l.tokens.List(ctx)
	list := make([]wire.Token, len(all))
	for i, t := range all {
		list[i] = wire.TokenOf(t.TokenInfo, time.Now())
	}
	return list, err
}

func (l local) RevokeToken(ctx context.Context, id, by string) (token wire.Token, known bool, err error) {
	revoked, known, err := l.tokens.Revoke(ctx, id, by)
	return wire.TokenOf(revoked.TokenInfo, time.Now()), known, err
}

func (l local) WhoAmI(context.Context) (wire.Principal, error) {
	return wire.Principal(access.Local()), nil
}
