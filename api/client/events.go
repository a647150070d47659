package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/eventdriver"
)

// ErrReadOnly is wrapped by what would write where a client only reads.
var ErrReadOnly = errors.New("through the API of a server it can only be read: the server writes it, for those who send it commands")

// Events is the event store of the server, to be read and followed. What it
// promises to readers is what the backend of the server promises.
func (c *Client) Events() events.Driver { return &history{c} }

type history struct{ *Client }

var _ events.EndsDriver = (*history)(nil)

func (h *history) Append(_ context.Context, stream string, _ events.Expected, _ events.Commit) (uint64, error) {
	return 0, fmt.Errorf("append to stream %q: %w", stream, ErrReadOnly)
}

func (h *history) Truncate(_ context.Context, stream string, _ uint64) error {
	return fmt.Errorf("truncate stream %q: %w", stream, ErrReadOnly)
}

func (h *history) Read(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	return h.all(ctx, fmt.Sprintf("read stream %q", stream), request{
		method: http.MethodGet, path: []string{"v1", "streams", stream, "commits"}, query: url.Values{"after": {strconv.FormatUint(after, 10)}},
	})
}

func (h *history) Ends(ctx context.Context, prefix string) iter.Seq2[events.Commit, error] {
	return h.all(ctx, fmt.Sprintf("read the ends of streams %q", prefix), request{
		method: http.MethodGet, path: []string{"v1", "ends"}, query: url.Values{"prefix": {prefix}},
	})
}

func (h *history) Last(ctx context.Context, stream string) (last events.Commit, ok bool, err error) {
	for c, err := range h.all(ctx, fmt.Sprintf("read the end of stream %q", stream), request{
		method: http.MethodGet, path: []string{"v1", "streams", stream, "last"},
	}) {
		if err != nil {
			return events.Commit{}, false, err
		}
		last, ok = c, true
	}
	return last, ok, nil
}

// all yields the commits of a stream of lines that has an end.
func (h *history) all(ctx context.Context, what string, r request) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		l, err := h.open(ctx, r)
		if err != nil {
			yield(events.Commit{}, fmt.Errorf("%s: %w", what, err))
			return
		}
		defer l.close()
		for {
			line, err := l.next()
			if err != nil {
				yield(events.Commit{}, fmt.Errorf("%s: %w", what, err))
				return
			}
			if line.End || line.Commit != nil && !yield(*line.Commit, nil) {
				return
			}
		}
	}
}

func (h *history) Streams(ctx context.Context, prefix string) ([]string, error) {
	var all wire.Streams
	if err := h.get(ctx, &all, url.Values{"prefix": {prefix}}, "v1", "streams"); err != nil {
		return nil, fmt.Errorf("list streams %q: %w", prefix, err)
	}
	return all.Streams, nil
}

// Close has nothing to close: the client stays usable.
func (h *history) Close() error { return nil }

// feedAhead is how many commits a subscription is ahead of its subscriber; what
// else there is waits in the server, or in its store.
const feedAhead = 256

func (h *history) Subscribe(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
	ahead := eventdriver.ReceiveAhead(ctx, prefix, feedAhead)
	l, err := h.open(ahead.Context(), request{
		method: http.MethodGet, path: []string{"v1", "feed"},
		query: url.Values{"prefix": {prefix}, "after": {strconv.FormatUint(uint64(after), 10)}},
	})
	if err != nil {
		ahead.Stop()
		return nil, fmt.Errorf("subscribe to streams %q: %w", prefix, err)
	}
	go func() {
		defer l.close()
		ahead.End(feed(l, ahead))
	}()
	return ahead, nil
}

// feed hands over commits until something is wrong for good.
func feed(l *lines, to *eventdriver.Ahead) error {
	for {
		line, err := l.next()
		switch {
		case err != nil:
			return err
		case line.CaughtUp:
			to.CaughtUp()
		case line.Commit != nil:
			if err := to.Hand(*line.Commit); err != nil {
				return err
			}
		}
	}
}
