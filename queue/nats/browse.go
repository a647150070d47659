package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

var _ queue.Browser = (*Queue)(nil)

// Browse lists messages as they lie in the stream, leased ones included. It
// asks the server once a message.
func (s *stream) Browse(ctx context.Context, after uint64, n int) ([]queue.Browsed, error) {
	if n < 1 {
		return nil, fmt.Errorf("browse queue %q: %d messages: ask for at least 1", s.name, n)
	}
	s.Flush()
	var all []queue.Browsed
	for len(all) < n {
		m, err := s.get(ctx, after+1, jetstream.WithGetMsgSubject(s.prefix+">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return nil, s.failed(ctx, "browse", err)
		}
		after = m.Sequence
		message, _ := s.form.read(strings.TrimPrefix(m.Subject, s.prefix))
		message.Body, message.Trace = m.Data, m.Header.Get(traceHeader)
		all = append(all, queue.Browsed{Message: message, Number: m.Sequence, Sent: m.Time})
	}
	return all, nil
}

// Remove removes a message from the stream, also one that somebody holds.
func (s *stream) Remove(ctx context.Context, number uint64) error {
	call, cancel := natsconn.Call(ctx, s.nc, callWithin)
	defer cancel()
	err := s.stored.DeleteMsg(call, number)
	if err == nil {
		return nil
	}
	if _, gone := s.get(ctx, number); errors.Is(gone, jetstream.ErrMsgNotFound) {
		return nil // removed by somebody else
	}
	return s.failed(ctx, fmt.Sprintf("remove message %d from", number), err)
}

func (s *stream) get(ctx context.Context, number uint64, opts ...jetstream.GetMsgOpt) (*jetstream.RawStreamMsg, error) {
	call, cancel := natsconn.Call(ctx, s.nc, callWithin)
	defer cancel()
	return s.stored.GetMsg(call, number, opts...)
}
