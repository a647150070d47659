package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/deedrun/deed/api/wire"
)

// doctor is what a server finds wrong with what it stands on.
func (r *routes) doctor() {
	route(r, adminOfAll, http.MethodGet, "/v1/doctor", "Look for what is wrong: each check, what it found, and what to do", r.examine)
}

// doctorInput is how the server was called, which advice repeats.
type doctorInput struct{ server string }

var _ huma.Resolver = (*doctorInput)(nil)

// Resolve is called by huma before the handler is.
func (in *doctorInput) Resolve(ctx huma.Context) []error {
	in.server = "http://" + ctx.Host()
	if ctx.TLS() != nil {
		in.server = "https://" + ctx.Host()
	}
	return nil
}

// examine takes some seconds: it listens until every role had the time to speak.
func (s *server) examine(ctx context.Context, in *doctorInput) (*body[wire.Findings], error) {
	found := s.Examine(ctx, func(words ...string) string {
		return "deed " + strings.Join(append(words, "--server", in.server), " ")
	})
	return &body[wire.Findings]{wire.Findings{Findings: found}}, nil
}
