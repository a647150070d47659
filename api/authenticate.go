package api

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/deedrun/deed/api/access"
	"github.com/deedrun/deed/api/wire"
)

// mostToken is more than any token has.
const mostToken = 4 << 10

// authenticate says who asks. Who shows a token is whose it is, also where none
// is asked for; a wrong one is never taken for none. Tokens are looked for in
// the header alone: an address ends up in logs and histories.
func (s *server) authenticate(r *http.Request) (access.Principal, *wire.Problem) {
	shown := r.Header.Values("Authorization")
	switch {
	case len(shown) == 0 && !s.options.RequireToken && isNear(r):
		return access.Local(), nil
	case len(shown) == 0:
		return access.Principal{}, unauthorized("this server answers only whoever shows a token: send `Authorization: Bearer TOKEN`")
	case len(shown) > 1:
		return access.Principal{}, unauthorized("the request has %d headers Authorization: send one", len(shown))
	}
	scheme, token, _ := strings.Cut(shown[0], " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > mostToken {
		return access.Principal{}, unauthorized("the header Authorization is not understood: send `Authorization: Bearer TOKEN`")
	}
	if s.options.Access == nil {
		return access.Principal{}, unauthorized("%v", access.ErrUnknown)
	}
	who, err := s.options.Access.Authenticate(r.Context(), token)
	switch {
	case errors.Is(err, access.ErrUnknown):
		return access.Principal{}, unauthorized("%v", err)
	case err != nil:
		return access.Principal{}, newProblem(http.StatusServiceUnavailable, wire.CodeUnavailable, "whose token it is cannot be told right now: %v", err)
	}
	return who, nil
}

func unauthorized(format string, args ...any) *wire.Problem {
	return newProblem(http.StatusUnauthorized, wire.CodeUnauthorized, format, args...)
}

// isNear reports whether a request came to an address that only this machine
// can reach. Any other asks for a token, whatever the options say.
func isNear(r *http.Request) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok { // handed over in this process, by no connection
		return true
	}
	address, err := netip.ParseAddrPort(at.String())
	return err == nil && address.Addr().Unmap().IsLoopback()
}
