package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/deedrun/deed/api/wire"
)

// patiently gives who reads an answer of JSON time for it. One who does not read
// holds up nobody but himself, and not for ever.
func patiently(ctx huma.Context, _ string, answer any) (any, error) {
	_, w := humago.Unwrap(ctx)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeWithin)) // not every connection of a test has one
	return answer, nil
}

// seats are the streams without an end of their own, watches and feeds, that a
// server has open at a time. Each costs it memory and a subscription.
type seats chan struct{}

// take takes a seat until leave is called; a problem says that none is free.
func (s seats) take() (leave func(), err error) {
	select {
	case s <- struct{}{}:
		return func() { <-s }, nil
	default:
		return nil, newProblem(http.StatusServiceUnavailable, wire.CodeUnavailable,
			"this server has %d watches and feeds open, and takes no more: ask another, or again when some have ended", cap(s))
	}
}
