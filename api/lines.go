package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
)

// writeWithin is how long a client may take for what is written to it at once.
// One that has not read by then is cut off: it asks again from where it was.
const writeWithin = 5 * time.Minute

// lastWords is how long a server that leaves waits for somebody who does not read.
const lastWords = time.Second

// lineWriter writes a stream of lines. Whoever reads slowly is written to
// slowly, and holds up nobody else.
type lineWriter struct {
	ctx  context.Context // of the stream: see untilLeaving
	w    http.ResponseWriter
	conn *http.ResponseController
	buf  []byte
	told time.Time // when something was written last
}

// flushAt is how many bytes are gathered while there is more to come at once.
const flushAt = 64 << 10

// startLines begins the answer.
func startLines(ctx context.Context, w http.ResponseWriter) *lineWriter {
	w.Header().Set("Content-Type", wire.LinesType)
	w.Header().Set("X-Accel-Buffering", "no") // a proxy passes on what there is
	l := &lineWriter{ctx: ctx, w: w, conn: http.NewResponseController(w), told: time.Now()}
	w.WriteHeader(http.StatusOK)
	return l
}

func (l *lineWriter) commit(c events.Commit) error {
	l.buf = wire.AppendCommit(l.buf, c)
	if len(l.buf) < flushAt {
		return nil
	}
	return l.flush()
}

func (l *lineWriter) line(line []byte) error {
	l.buf = append(l.buf, line...)
	return l.flush()
}

// quiet says that the server is still there, if nothing was said for a while.
func (l *lineWriter) quiet(beat time.Duration) error {
	if time.Since(l.told) < beat {
		return nil
	}
	return l.line(wire.LineAlive)
}

func (l *lineWriter) flush() error {
	if len(l.buf) > 0 {
		l.told = time.Now()
	}
	_ = l.conn.SetWriteDeadline(time.Now().Add(writeWithin)) // not every connection of a test has one
	if l.ctx.Err() != nil {
		_ = l.conn.SetWriteDeadline(time.Now().Add(lastWords)) // also if that came in between
	}
	_, err := l.w.Write(l.buf)
	if err == nil {
		err = l.conn.Flush()
	}
	_ = l.conn.SetWriteDeadline(time.Time{})
	if err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	l.buf = l.buf[:0]
	return nil
}

// errGone says that nobody listens any more.
var errGone = errors.New("whoever asked has gone")

// end says that there is no more, or why there is no more to be had.
func (s *server) end(ctx context.Context, l *lineWriter, err error) {
	switch {
	case err == nil:
		_ = l.line(wire.LineEnd) // there is nobody left to tell
		return
	case errors.Is(err, errGone):
		return
	}
	if p := (*wire.Problem)(nil); errors.As(context.Cause(ctx), &p) {
		err = p
	}
	_ = l.line(wire.AppendProblem(nil, s.problem(ctx, err)))
}
