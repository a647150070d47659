package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
)

// need is what somebody has to be to be answered at an address. Every address
// says it where it is registered, so that none can be forgotten.
type need struct {
	role wire.Role // at least; "": none, and no token either
	all  bool      // for all processes: a token for some does not do
}

// What addresses need.
var (
	anybody     = need{}
	viewer      = need{role: wire.Viewer}
	operator    = need{role: wire.Operator}
	admin       = need{role: wire.Admin}
	viewerOfAll = need{role: wire.Viewer, all: true}
	adminOfAll  = need{role: wire.Admin, all: true}
)

func (n need) String() string {
	switch {
	case n.role == "":
		return "no token"
	case n.all:
		return string(n.role) + " of all processes"
	}
	return string(n.role)
}

// refuse is why somebody is not answered; nil: he is.
func (n need) refuse(who access.Principal) *wire.Problem {
	if n.role == "" {
		return nil
	}
	if !who.Role.Includes(n.role) {
		return forbidden("this needs the role %s, and the token %s has the role %s: ask an admin for another token", n.role, who.Name, who.Role)
	}
	if n.all && who.Scoped() {
		return forbidden("this is about all processes, and the token %s is for those of %s alone: ask an admin for a token without --processes",
			who.Name, strings.Join(who.Processes, ", "))
	}
	return nil
}

// needOf is what somebody has to be for what the mux has at a pattern. That
// there is nothing is told only to those who may read what there is, and what
// nobody said anything about is for those alone who may do everything.
func needOf(needs map[string]need, pattern string) need {
	n, said := needs[pattern]
	switch {
	case said:
		return n
	case pattern == "":
		return viewer
	}
	return adminOfAll
}

func forbidden(format string, args ...any) *wire.Problem {
	return newProblem(http.StatusForbidden, wire.CodeForbidden, format, args...)
}

// schemeName is that of tokens in the description of the API.
const schemeName = "token"

// describe says in the description of the API what an operation needs.
func (n need) describe(op *huma.Operation) {
	if n.role == "" {
		op.Security = []map[string][]string{{}}
		return
	}
	op.Security = []map[string][]string{{schemeName: {}}}
	op.Description = strings.TrimSpace(op.Description + "\n\nNeeds: " + n.String() + ".")
	if op.Extensions == nil {
		op.Extensions = map[string]any{}
	}
	op.Extensions["x-deed-role"] = string(n.role)
	if n.all {
		op.Extensions["x-deed-all-processes"] = true
	}
}

// pass lets in who may come in, and says who it is in the context of what he asks.
func (s *server) pass(r *http.Request, n need) (context.Context, *wire.Problem) {
	who, p := s.authenticate(r)
	if p == nil {
		p = n.refuse(who)
	}
	if p != nil {
		return nil, p
	}
	if n.role == wire.Admin && who.Token != "" && r.Method != http.MethodGet && r.Method != http.MethodHead { // most of it is in no history
		s.log.Info("api: an admin asks", "request", r.Method+" "+r.URL.Path, "by", by(access.With(r.Context(), who), ""), "from", r.RemoteAddr)
	}
	return access.With(r.Context(), who), nil
}
