package natsconn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// recorder is the server's logger: it hands warnings and errors on, and until
// the server is up it keeps the last few, because they are the only account of
// why a start failed.
type recorder struct {
	log *slog.Logger

	mu    sync.Mutex
	up    bool
	lines []string
	died  string
}

const keepLines = 8

func newRecorder(log *slog.Logger) *recorder {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &recorder{log: log}
}

func (r *recorder) keep(line string) string {
	line = strings.TrimSpace(line)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.up {
		r.lines = append(r.lines, line)
		r.lines = r.lines[max(0, len(r.lines)-keepLines):]
	}
	return line
}

// started ends the keeping.
func (r *recorder) started() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.up, r.lines = true, nil
}

func (r *recorder) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) == 0 {
		return "nothing"
	}
	return strings.Join(r.lines, "; ")
}

// fatal is what the server died of, if it did.
func (r *recorder) fatal() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.died == "" {
		return nil
	}
	return errors.New(r.died)
}

func (r *recorder) Noticef(string, ...any) {}
func (r *recorder) Debugf(string, ...any)  {}
func (r *recorder) Tracef(string, ...any)  {}

// Warnf passes a warning on. While the server starts, its warnings are about
// how it recovers from the last end, which is ordinary after a crash; if it
// cannot, they stand in the error of Start.
func (r *recorder) Warnf(format string, v ...any) {
	level := slog.LevelWarn
	if !r.isUp() {
		level = slog.LevelInfo
	}
	if strings.HasPrefix(format, "Internal subscription on") { // that the machine is slow right now is nothing to act on
		level = slog.LevelDebug
	}
	r.log.Log(context.Background(), level, "nats server: "+r.keep(fmt.Sprintf(format, v...)))
}

func (r *recorder) isUp() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.up
}

func (r *recorder) Errorf(format string, v ...any) {
	r.log.Error("nats server: " + r.keep(fmt.Sprintf(format, v...)))
}

func (r *recorder) Fatalf(format string, v ...any) {
	line := r.keep(fmt.Sprintf(format, v...))
	r.mu.Lock()
	if r.died == "" {
		r.died = line
	}
	r.mu.Unlock()
	r.log.Error("nats server: " + line)
}
