package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
)

// access is who may come in. Who issues tokens may give himself any right, so
// that is for those who have all of them.
func (r *routes) access() {
	route(r, viewer, http.MethodGet, "/v1/whoami", "Who asks, and what they may do", r.whoami)
	route(r, adminOfAll, http.MethodGet, "/v1/tokens", "List the tokens, those that open nothing any more, too", r.listTokens)
	route(r, adminOfAll, http.MethodPost, "/v1/tokens", "Issue a token; its text is told in the answer, and never again", r.issueToken, status(http.StatusCreated))
	route(r, adminOfAll, http.MethodDelete, "/v1/tokens/{id}", "Revoke a token: every server refuses it from now on", r.revokeToken)
}

func (s *server) whoami(ctx context.Context, _ *struct{}) (*body[wire.Principal], error) {
	return &body[wire.Principal]{wire.Principal(access.From(ctx))}, nil
}

func (s *server) listTokens(ctx context.Context, _ *struct{}) (*body[wire.Tokens], error) {
	all, err := s.upkeep.Tokens(ctx)
	return &body[wire.Tokens]{wire.Tokens{Tokens: all}}, err
}

type newTokenInput struct{ Body wire.NewToken }

func (s *server) issueToken(ctx context.Context, in *newTokenInput) (*body[wire.IssuedToken], error) {
	wish := in.Body
	if wish.ExpiresAfter < 0 {
		return nil, newProblem(http.StatusUnprocessableEntity, wire.CodeInvalid, "expiresAfter %s: give a time such as 720h, or none", time.Duration(wish.ExpiresAfter))
	}
	wish.By = by(ctx, wish.By)
	issued, err := s.upkeep.IssueToken(ctx, wish)
	if invalid := (*access.InvalidError)(nil); errors.As(err, &invalid) {
		return nil, newProblem(http.StatusUnprocessableEntity, wire.CodeInvalid, "%v", invalid)
	}
	return &body[wire.IssuedToken]{issued}, err
}

type tokenInput struct {
	ID string `path:"id" maxLength:"64" doc:"Of the token, as /v1/tokens lists it."`
	By string `query:"by" maxLength:"256"`
}

func (s *server) revokeToken(ctx context.Context, in *tokenInput) (*body[wire.Token], error) {
	token, known, err := s.upkeep.RevokeToken(ctx, in.ID, by(ctx, in.By))
	if err == nil && !known {
		err = newProblem(http.StatusNotFound, wire.CodeNotFound, "there is no token %q; /v1/tokens lists them", in.ID)
	}
	return &body[wire.Token]{token}, err
}
