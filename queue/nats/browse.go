package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/queue"
)

var _ queue.Browser = (*Queue)(nil)

// Browse lists messages as they lie in the stream, leased ones included. It
// asks the server once a message.
func (q *Queue) Browse(ctx context.Context, after uint64, n int) ([]queue.Browsed, error) {
	if n < 1 {
		return nil, fmt.Errorf("browse queue %q: %d messages: ask for at least 1", q.name, n)
	}
	var all []queue.Browsed
	for len(all) < n {
		m, err := q.stream.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(q.prefix+">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return nil, q.failed(ctx, "browse", err)
		}
		after = m.Sequence
		all = append(all, queue.Browsed{
			Message: queue.Message{Key: strings.TrimPrefix(m.Subject, q.prefix), Body: m.Data}, Number: m.Sequence, Sent: m.Time,
		})
	}
	return all, nil
}

// Remove removes a message from the stream, also one that somebody holds.
func (q *Queue) Remove(ctx context.Context, number uint64) error {
	err := q.stream.DeleteMsg(ctx, number)
	if err == nil {
		return nil
	}
	if _, gone := q.stream.GetMsg(ctx, number); errors.Is(gone, jetstream.ErrMsgNotFound) {
		return nil // removed by somebody else
	}
	return q.failed(ctx, fmt.Sprintf("remove message %d from", number), err)
}
