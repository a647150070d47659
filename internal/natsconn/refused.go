package natsconn

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// PermissionError says what the server does not let the user of a connection do.
// It wraps nats.ErrPermissionViolation.
type PermissionError struct {
	Does    string // "publish to" or "subscribe to"
	Subject string
}

func (e *PermissionError) Error() string {
	return fmt.Sprintf("the NATS user of this role may not %s %s: give it the credentials that `deed auth nats` makes for this role (and this pool), and the servers the accounts that it wrote with them",
		e.Does, e.Subject)
}

func (e *PermissionError) Unwrap() error { return nats.ErrPermissionViolation }

var violation = regexp.MustCompile(`(?i)violation for (publish|subscription).*? "([^"]+)"`)

// asPermission reads what the server said.
func asPermission(err error) *PermissionError {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return nil
	}
	said := violation.FindStringSubmatch(err.Error())
	if said == nil {
		return &PermissionError{Does: "do what it tried:", Subject: err.Error()}
	}
	does := "publish to"
	if !strings.EqualFold(said[1], "publish") {
		does = "subscribe to"
	}
	return &PermissionError{Does: does, Subject: said[2]}
}

// Refusals notices what the server refuses after it was made: it does not answer
// what a user may not ask, but says so aside, and who waits for the answer would
// wait in vain. Of several refusals at the same time it may notice only the last.
type Refusals struct {
	nc     *nats.Conn
	before error
}

// WatchRefusals begins to notice.
func WatchRefusals(nc *nats.Conn) Refusals { return Refusals{nc, nc.LastError()} }

// Of is the refusal of a subject that begins so, if it was the last; else nil.
func (r Refusals) Of(prefix string) error {
	err := r.nc.LastError()
	if err == nil || err == r.before { //nolint:errorlint // the very same one is an old one
		return nil
	}
	if refused := asPermission(err); refused != nil && strings.HasPrefix(refused.Subject, prefix) {
		return refused
	}
	return nil
}

// refusalsEvery is how often the log says the same refusal.
const refusalsEvery = time.Minute

// refusalLog says each refusal when it is new, and then once in a while: a role
// that may not send heartbeats would fill the log.
type refusalLog struct {
	mu   sync.Mutex
	said map[string]time.Time
}

// refusalsKept bounds how many subjects it knows.
const refusalsKept = 100

func (l *refusalLog) say(log *slog.Logger, e *PermissionError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	key := e.Does + e.Subject
	if now.Sub(l.said[key]) < refusalsEvery {
		return
	}
	if l.said == nil || len(l.said) >= refusalsKept {
		l.said = map[string]time.Time{}
	}
	l.said[key] = now
	log.Error("nats: not allowed", "error", e)
}
