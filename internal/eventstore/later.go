package eventstore

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/deedrun/deed/events"
)

// Later is an event store that open opens when it is first needed. A worker needs
// none, so it works also where it cannot reach one.
func Later(open func(context.Context) (events.Driver, error)) events.Driver {
	return &later{open: open}
}

type later struct {
	open func(context.Context) (events.Driver, error)

	mu     sync.Mutex
	driver events.Driver
	closed bool
}

func (l *later) opened(ctx context.Context) (events.Driver, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errors.New("open event store: it has been closed")
	}
	if l.driver != nil {
		return l.driver, nil
	}
	var err error
	l.driver, err = l.open(ctx)
	return l.driver, err
}

func (l *later) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	d, err := l.opened(ctx)
	if err != nil {
		return 0, err
	}
	return d.Append(ctx, stream, expected, c)
}

func (l *later) Read(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	d, err := l.opened(ctx)
	if err != nil {
		return func(yield func(events.Commit, error) bool) { yield(events.Commit{}, err) }
	}
	return d.Read(ctx, stream, after)
}

func (l *later) Last(ctx context.Context, stream string) (events.Commit, bool, error) {
	d, err := l.opened(ctx)
	if err != nil {
		return events.Commit{}, false, err
	}
	return d.Last(ctx, stream)
}

func (l *later) Subscribe(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
	d, err := l.opened(ctx)
	if err != nil {
		return nil, err
	}
	return d.Subscribe(ctx, prefix, after)
}

func (l *later) Streams(ctx context.Context, prefix string) ([]string, error) {
	d, err := l.opened(ctx)
	if err != nil {
		return nil, err
	}
	return d.Streams(ctx, prefix)
}

func (l *later) Truncate(ctx context.Context, stream string, before uint64) error {
	d, err := l.opened(ctx)
	if err != nil {
		return err
	}
	return d.Truncate(ctx, stream, before)
}

func (l *later) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.driver == nil {
		return nil
	}
	return l.driver.Close()
}
