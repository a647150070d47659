package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/deedrun/deed/api/wire"
)

// mostLine is how long a line may be: the largest commit, and then some.
const mostLine = 64 << 20

var (
	errSilent = errors.New("it fell silent")
	errCut    = errors.New("what it was saying was cut off")
)

// lines is a stream of lines from the server.
type lines struct {
	client *Client
	ctx    context.Context // of the request; ends when the server is silent for too long
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	buf    *bufio.Reader
	silent *time.Timer
	status int
}

// open asks for a stream. It ends with ctx; close must be called.
func (c *Client) open(ctx context.Context, r request) (*lines, error) {
	inner, cancel := context.WithCancelCause(ctx)
	silent := time.AfterFunc(c.silence, func() { cancel(errSilent) })
	resp, err := c.send(inner, r) //nolint:bodyclose // lines.close does
	if err != nil {
		silent.Stop()
		cancel(nil)
		if ctx.Err() == nil && errors.Is(context.Cause(inner), errSilent) {
			return nil, &UnreachableError{Server: c.URL(), Err: errSilent}
		}
		return nil, err
	}
	return &lines{client: c, ctx: inner, cancel: cancel, body: resp.Body, buf: bufio.NewReaderSize(resp.Body, 64<<10), silent: silent, status: resp.StatusCode}, nil
}

func (l *lines) close() {
	l.silent.Stop()
	l.cancel(nil)
	_ = l.body.Close()
}

// next is the next line that says something. The server may be slow to speak
// only while somebody listens: between two calls no time passes.
func (l *lines) next() (wire.Line, error) {
	l.silent.Reset(l.client.silence)
	defer l.silent.Stop()
	for {
		data, err := l.read()
		if err != nil {
			return wire.Line{}, l.failed(err)
		}
		l.silent.Reset(l.client.silence)
		line, err := wire.ParseLine(data)
		switch {
		case err != nil:
			return line, fmt.Errorf("%s: %w", l.client.URL(), err)
		case line.Problem != nil:
			return line, meaning(l.client.URL(), line.Problem)
		case line.Commit != nil, line.CaughtUp, line.End:
			return line, nil
		}
	}
}

func (l *lines) read() ([]byte, error) {
	var line []byte
	for {
		part, err := l.buf.ReadSlice('\n')
		if line == nil && err == nil {
			return part, nil // read before the next call
		}
		line = append(line, part...)
		switch {
		case len(line) > mostLine:
			return nil, fmt.Errorf("a line of more than %d bytes", mostLine)
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// failed is why there is no next line.
func (l *lines) failed(err error) error {
	switch cause := context.Cause(l.ctx); {
	case errors.Is(cause, errSilent):
		err = errSilent
	case cause != nil:
		return fmt.Errorf("ask the deed server %s: %w", l.client.URL(), cause)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errCut
	}
	return &UnreachableError{Server: l.client.URL(), Err: err}
}
