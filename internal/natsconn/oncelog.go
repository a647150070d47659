package natsconn

import (
	"log/slog"
	"sync"
)

// onceLog says each thing that is wrong with a connection once, until it is back:
// several times a second it is tried again, for as long as it takes.
type onceLog struct {
	mu   sync.Mutex
	said map[string]bool
}

func (l *onceLog) say(log *slog.Logger, err error) {
	err = withoutAddresses(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.said[err.Error()] {
		return
	}
	if l.said == nil {
		l.said = map[string]bool{}
	}
	l.said[err.Error()] = true
	log.Warn("nats connection", "error", err)
}

func (l *onceLog) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.said)
}
