package api

import (
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
)

// patiently gives who reads an answer of JSON time for it. One who does not read
// holds up nobody but himself, and not for ever.
func patiently(ctx huma.Context, _ string, answer any) (any, error) {
	_, w := humago.Unwrap(ctx)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeWithin)) // not every connection of a test has one
	return answer, nil
}

// seats are the streams without an end of their own, watches and feeds, that a
// server has open at a time. Each costs it memory and a subscription. One token
// gets half of them at most, so that nobody shuts out the others.
type seats struct {
	most int

	mu    sync.Mutex
	taken int
	by    map[string]int // ID of a token
}

func newSeats(most int) *seats { return &seats{most: most, by: map[string]int{}} }

// take takes a seat until leave is called; a problem says that none is free.
func (s *seats) take(who access.Principal) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case who.Token != "" && s.by[who.Token] >= (s.most+1)/2:
		return nil, newProblem(http.StatusServiceUnavailable, wire.CodeUnavailable,
			"the token %s has %d watches and feeds open at this server, which is half of what it takes: end some", who.Name, s.by[who.Token])
	case s.taken >= s.most:
		return nil, newProblem(http.StatusServiceUnavailable, wire.CodeUnavailable,
			"this server has %d watches and feeds open, and takes no more: ask another, or again when some have ended", s.most)
	}
	s.taken++
	s.by[who.Token]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
		if s.by[who.Token]--; s.by[who.Token] == 0 {
			delete(s.by, who.Token)
		}
	}, nil
}
