package client

import (
	"context"
	"errors"
	"io"
	"net/http"

	"gocloud.dev/blob/driver"
)

// reader streams a blob, or a part of one.
type reader struct {
	client *Client
	ctx    context.Context
	body   io.ReadCloser
	left   int64 // bytes that are still to come
	about  driver.ReaderAttributes
}

// Read gives an error for content that ends too soon: a server that was killed
// must not look like the end of a blob.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	r.left -= int64(n)
	switch {
	case err == nil, errors.Is(err, io.EOF) && r.left <= 0:
	case errors.Is(err, io.EOF):
		err = r.client.unreachable(r.ctx, errCut)
	default:
		err = r.client.unreachable(r.ctx, err)
	}
	return n, err
}

func (r *reader) Close() error                         { return r.body.Close() }
func (r *reader) Attributes() *driver.ReaderAttributes { return &r.about }
func (r *reader) As(any) bool                          { return false }

// writer streams a blob to the server while it is written. It is there when
// Close has returned without error; a context that ends before leaves nothing.
type writer struct {
	ctx  context.Context
	pipe *io.PipeWriter
	done chan struct{} // closed when the server has answered
	err  error         // what it answered
}

func (b *bucket) NewTypedWriter(ctx context.Context, key, contentType string, o *driver.WriterOptions) (driver.Writer, error) {
	if o.BeforeWrite != nil {
		if err := o.BeforeWrite(b.As); err != nil {
			return nil, err
		}
	}
	header := http.Header{"Expect": {"100-continue"}} // who has it already says so before it is sent
	if o.IfNotExist {
		header.Set("If-None-Match", "*")
	}
	body, pipe := io.Pipe()
	w := &writer{ctx: ctx, pipe: pipe, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		resp, err := b.send(ctx, request{
			method: http.MethodPut, path: []string{"v1", "blobs", key}, header: header, body: body, typ: contentType,
		})
		if err == nil {
			_ = resp.Body.Close()
		}
		w.err = err
		_ = body.CloseWithError(errAnswered) // nobody reads what is still written
	}()
	return w, nil
}

// errAnswered ends a write to which the server has answered already.
var errAnswered = errors.New("the server has answered before the end")

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.pipe.Write(p)
	if err != nil { // nobody reads it any more, so the answer comes, or has come
		if <-w.done; w.err != nil {
			err = w.err
		}
	}
	return n, err
}

func (w *writer) Close() error {
	_ = w.pipe.CloseWithError(w.ctx.Err()) // nil: the content ends here
	<-w.done
	return w.err
}
