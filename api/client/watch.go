package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/deedrun/deed/api/wire"
)

// Watch yields where a process stands after each of its commits, beginning with
// what is stored now, or, with after, with what follows that event, until the
// process has ended. An error is the last thing it yields; after one that is an
// *UnreachableError it can be watched again, after the last event that was seen.
func (c *Client) Watch(ctx context.Context, id string, after uint64) iter.Seq2[wire.Standing, error] {
	return func(yield func(wire.Standing, error) bool) {
		l, err := c.open(ctx, request{
			method: http.MethodGet, path: []string{"v1", "processes", id, "watch"}, query: url.Values{"after": {strconv.FormatUint(after, 10)}},
		})
		if err != nil {
			yield(wire.Standing{}, fmt.Errorf("watch process %q: %w", id, err))
			return
		}
		defer l.close()
		if l.status == http.StatusNoContent {
			return // it has ended, and that was seen
		}
		for {
			s, err := l.standing()
			if err != nil {
				yield(s, fmt.Errorf("watch process %q: %w", id, err))
				return
			}
			if !yield(s, nil) || s.Ended() {
				return
			}
		}
	}
}

// standing is the next message of a watch.
func (l *lines) standing() (s wire.Standing, err error) {
	l.silent.Reset(l.client.silence)
	defer l.silent.Stop()
	for kind := ""; ; {
		line, err := l.read()
		if err != nil {
			return s, l.failed(err)
		}
		l.silent.Reset(l.client.silence)
		field, value, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(": "))
		switch {
		case string(field) == "event":
			kind = string(value)
		case string(field) == "data" && kind == "problem":
			p := &wire.Problem{}
			if err := json.Unmarshal(value, p); err != nil {
				return s, fmt.Errorf("a message of %s that cannot be read: %w", l.client.URL(), err)
			}
			return s, meaning(l.client.URL(), p)
		case string(field) == "data":
			if err := json.Unmarshal(value, &s); err != nil {
				return s, fmt.Errorf("a message of %s that cannot be read: %w", l.client.URL(), err)
			}
			return s, nil
		}
	}
}
