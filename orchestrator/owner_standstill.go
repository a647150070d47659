package orchestrator

import (
	"log/slog"
	"time"
)

// Failed steps are told of when that has lasted, and from then on seldom.
const (
	toldAfter = 3 * time.Second
	toldAgain = time.Minute
)

// standstill is a run of steps that failed, most likely since a backend is away.
type standstill struct {
	since, told time.Time // zero: there is none; nothing was said of it
}

// failed notes a step that began at a time and has failed now: one call of it
// may have taken half a minute.
func (s *standstill) failed(log *slog.Logger, began, now time.Time, err error) {
	if s.since.IsZero() {
		s.since = began
	}
	if now.Sub(s.since) < toldAfter || !s.told.IsZero() && now.Sub(s.told) < toldAgain {
		log.Debug("orchestrator: trying again", "in", retryAfter, "error", err)
		return
	}
	s.told = now
	log.Warn("orchestrator: everything stands still until this is over; trying again",
		"for", now.Sub(s.since).Round(time.Second), "error", err)
}

func (s *standstill) over(log *slog.Logger, now time.Time) {
	if !s.told.IsZero() {
		log.Warn("orchestrator: it goes on", "after", now.Sub(s.since).Round(time.Second))
	}
	*s = standstill{}
}
