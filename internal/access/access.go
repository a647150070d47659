// Package access says who may do what at the API: tokens, the roles that they
// give, and the processes that they are for.
package access

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/deedrun/deed/api/wire"
)

// Principal is somebody who asks.
type Principal struct {
	Name  string // who it is, for people and for the record; "": somebody at this machine, who needs no token
	Token string // ID of the token that was shown; "": none
	Role  wire.Role

	// Processes are patterns (path.Match) of the names of definitions; only
	// processes of these exist for the principal. nil: all.
	Processes []string
}

// Scoped reports whether only some processes exist for the principal.
func (p Principal) Scoped() bool { return p.Processes != nil }

// Sees reports whether processes of a definition of this name exist for the
// principal. Those of a child are named after their root's, and exist for whom
// that exists.
func (p Principal) Sees(definition string) bool {
	definition, _, _ = strings.Cut(definition, "/")
	return p.Processes == nil || slices.ContainsFunc(p.Processes, func(pattern string) bool {
		ok, err := path.Match(pattern, definition)
		return ok && err == nil
	})
}

// Local is whoever asks at an address that only this machine can reach.
func Local() Principal { return Principal{Role: wire.Admin} }

type key struct{}

// With is a context in which the principal asks.
func With(ctx context.Context, p Principal) context.Context { return context.WithValue(ctx, key{}, p) }

// From is who asks. Without one nobody does, who may do nothing.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(key{}).(Principal)
	return p
}

// ErrUnknown says that a token is not one, or not any more: it never was, was
// revoked, or has expired. Which of them is not said.
var ErrUnknown = errors.New("the token is not known here, was revoked, or has expired")

// Authenticator says whose a token is. Its errors are ErrUnknown, or that it
// cannot tell now.
type Authenticator interface {
	Authenticate(ctx context.Context, token string) (Principal, error)
}
