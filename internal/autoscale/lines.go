package autoscale

import (
	"bytes"
	"io"
	"sync"
)

// longLine is what is kept of a line that does not end; it is broken there.
const longLine = 64 << 10

// lines passes on what a process prints, whole lines at a time, each with a
// prefix. Its destination takes a line in one Write, so that those of several
// processes do not mix.
type lines struct {
	mu     sync.Mutex
	to     io.Writer
	prefix string
	rest   []byte // of a line that has not ended
}

// Write never fails: a process is not to end for want of somebody who reads.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		l.rest = append(l.rest, line...)
		if rest = after; ended || len(l.rest) >= longLine {
			l.put()
		}
	}
	return len(p), nil
}

// flush passes on a last line that did not end.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		l.put()
	}
}

func (l *lines) put() {
	_, _ = l.to.Write(append(append([]byte(l.prefix), l.rest...), '\n'))
	l.rest = l.rest[:0]
}
