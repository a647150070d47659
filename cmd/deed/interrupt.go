package main

import (
	"context"
	"io"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/orchestrator/definition"
)

// What a person names may never answer: a pipe that nobody writes to, a
// terminal. No call to the system ends for a context, so it is made beside, and
// left behind when ctx ends.

// parseFile is deed.ParseFile, which ends with ctx.
func parseFile(ctx context.Context, path string) (*definition.Source, error) {
	type parsed struct {
		source *definition.Source
		err    error
	}
	done := make(chan parsed, 1)
	go func() {
		source, err := deed.ParseFile(path)
		done <- parsed{source, err}
	}()
	select {
	case p := <-done:
		return p.source, p.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// interruptible is r, whose reads end with ctx.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	out, in := io.Pipe()
	go func() {
		_, err := io.Copy(in, r)
		_ = in.CloseWithError(err) // nil: the end of r
	}()
	context.AfterFunc(ctx, func() { _ = out.CloseWithError(context.Cause(ctx)) })
	return out
}
