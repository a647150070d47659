package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
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
	who, err := s.tokens.Authenticate(r.Context(), token)
	if s.options.Access != nil && err != nil { // who is known elsewhere comes in also while the store is away
		if known, otherErr := s.options.Access.Authenticate(r.Context(), token); otherErr == nil || !errors.Is(otherErr, access.ErrUnknown) {
			who, err = known, otherErr
		}
	}
	switch {
	case errors.Is(err, access.ErrUnknown):
		return access.Principal{}, unauthorized("%v", err)
	case err != nil:
		s.doubt.say(s.log, err)
		return access.Principal{}, newProblem(http.StatusServiceUnavailable, wire.CodeUnavailable, "whose token it is cannot be told right now; the log of the server says why")
	}
	s.doubt.end()
	return who, nil
}

// doubt is why it cannot be told whose tokens are. It names addresses, and who
// asks may be anybody: so it is logged, once as long as it stays the same.
type doubt struct{ said atomic.Pointer[string] }

func (d *doubt) say(log *slog.Logger, err error) {
	text := err.Error()
	if said := d.said.Swap(&text); said == nil || *said != text {
		log.Error("api: nobody is let in by a token that was issued", "error", err)
	}
}

func (d *doubt) end() {
	if d.said.Load() != nil {
		d.said.Store(nil)
	}
}

// grantAgain is how often it is asked whether who reads a stream still may.
const grantAgain = time.Second

type againKey struct{}

// remembering lets whatever answers a request for long ask again who asked.
func (s *server) remembering(inside http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		again := func() *wire.Problem {
			_, p := s.authenticate(r)
			return p
		}
		inside.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), againKey{}, again)))
	})
}

// whileGranted calls end when the token that a request came with opens nothing
// any more: it was revoked, or has expired, after the request came in. It returns
// when ctx ends, or at once if there is no token.
func whileGranted(ctx context.Context, r *http.Request, end func(error)) {
	again, ok := r.Context().Value(againKey{}).(func() *wire.Problem)
	if !ok || r.Header.Get("Authorization") == "" {
		return
	}
	look := time.NewTicker(grantAgain)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			if p := again(); p != nil {
				end(p)
				return
			}
		}
	}
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
	return isLoopback(at)
}
