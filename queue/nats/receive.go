package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

const (
	// maxBatch bounds one Receive, whatever its max.
	maxBatch = 4096

	// askFor is how long one request waits at the server. A longer wait asks
	// again, so that a request that got lost, such as in a network that was cut
	// and healed, costs no more than that.
	askFor = 10 * time.Second

	// answerWithin is how long an answer may take beyond the time asked for.
	answerWithin = 5 * time.Second
)

// request asks the consumer for messages. With NoWait and Expires the server
// waits for the first message, and then ends the request with the last one
// that is there: one round trip, never more than Batch on lease.
type request struct {
	Batch   int           `json:"batch"`
	Expires time.Duration `json:"expires,omitempty"`
	NoWait  bool          `json:"no_wait,omitempty"`
}

// receive is Queue.Receive.
func (c *consumer) receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Delivery, error) {
	if limit < 1 {
		return nil, fmt.Errorf("receive from queue %q: max %d: ask for at least 1 message", c.name, limit)
	}
	deadline := time.Now().Add(wait)
	req := request{Batch: min(limit, maxBatch), NoWait: true}
	if err := ctx.Err(); err != nil {
		return nil, c.failed(ctx, "receive from", err)
	}
	for {
		if wait > 0 {
			req.Expires = min(max(time.Until(deadline), time.Millisecond), askFor)
		}
		got, how, err := c.ask(ctx, req)
		if len(got) > 0 {
			return got, nil
		}
		if err == nil {
			err = ctx.Err()
		}
		left := time.Until(deadline)
		over := left <= 0 || ctx.Err() != nil
		switch {
		case err != nil && (over || !isUnavailable(err) || c.nc.IsClosed()):
			return nil, c.failed(ctx, "receive from", err)
		case over:
			return nil, nil
		case err != nil:
			pause(ctx, min(left, 50*time.Millisecond))
			if errors.Is(err, natsgo.ErrNoResponders) || errors.Is(err, errDeleted) {
				c.ensureAgain(ctx)
			}
		case how == contended:
			// Others wait for more messages than there are, and the server lets no
			// further request join them that way: wait in line for one message.
			req.Batch, req.NoWait = 1, false
		}
	}
}

// outcome is why a request ended without an error.
type outcome int

const (
	ended     outcome = iota // enough messages, or no more, or its time was over
	contended                // others wait already for what is there
)

// ask makes one request and collects what it brings.
func (c *consumer) ask(ctx context.Context, req request) ([]queue.Delivery, outcome, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return nil, ended, err
	}
	connection, refusals := c.inboxes.session(), natsconn.WatchRefusals(c.nc)
	in, err := c.inboxes.borrow(req.Batch + 1)
	if err != nil {
		return nil, ended, err
	}
	if err := c.nc.PublishRequest(c.next, in.reply("next"), body); err != nil {
		c.inboxes.release(in)
		return nil, ended, err
	}
	overdue := time.Now().Add(req.Expires + answerWithin)
	watch := time.NewTicker(watchEvery)
	defer watch.Stop()

	var got []queue.Delivery
	for {
		var m *natsgo.Msg
		select {
		case m = <-in.c: // what is there is taken before anything else is looked at
		default:
			select {
			case m = <-in.c:
			case <-ctx.Done():
				return c.late(got, in), ended, ctx.Err()
			case <-watch.C:
				if connection.lost() {
					return c.late(got, in), ended, natsgo.ErrDisconnected
				}
				if err := refusals.Of(c.next); err != nil {
					return c.late(got, in), ended, err
				}
				if time.Now().After(overdue) {
					return c.late(got, in), ended, fmt.Errorf("%w: no answer within %s", natsgo.ErrTimeout, answerWithin)
				}
				continue
			}
		}
		if d, ok := c.delivery(m); ok {
			if got = append(got, d); len(got) == req.Batch {
				c.inboxes.release(in)
				return got, ended, nil
			}
			continue
		}
		result, last, err := readStatus(m)
		if _, ours := in.label(m.Subject); !last || !ours {
			continue
		}
		c.inboxes.release(in)
		return got, result, err
	}
}

// late ends an inbox and adds the messages that still came.
func (c *consumer) late(got []queue.Delivery, in *inbox) []queue.Delivery {
	for _, m := range c.inboxes.abandon(in) {
		if d, ok := c.delivery(m); ok {
			got = append(got, d)
		}
	}
	return got
}

// delivery reads a message of the queue; ok is false for anything else that came.
func (s *stream) delivery(m *natsgo.Msg) (d queue.Delivery, ok bool) {
	subject, ok := strings.CutPrefix(m.Subject, s.prefix)
	if !ok {
		return d, false
	}
	message, ok := s.form.read(subject)
	if !ok {
		return d, false
	}
	meta, err := m.Metadata()
	if err != nil {
		return d, false
	}
	message.Body = m.Data
	if m.Header != nil {
		message.Trace = m.Header.Get(traceHeader)
	}
	return queue.Delivery{Message: message, Count: int(meta.NumDelivered), Sent: meta.Timestamp, Token: token{m.Reply, meta.Sequence.Stream}}, true
}

var (
	// errDeleted: somebody removed the consumer. It is made again.
	errDeleted = fmt.Errorf("%w: the consumer was deleted", queue.ErrUnavailable)

	// errPin: another request is the pinned one, or none is any more.
	errPin = errors.New("the request is not the pinned one")
)

// readStatus reads what the server says of a request; last is false when the
// request goes on.
func readStatus(m *natsgo.Msg) (result outcome, last bool, err error) {
	status, text := m.Header.Get("Status"), m.Header.Get("Description")
	code, err := strconv.Atoi(status)
	if err != nil {
		return ended, false, nil // nothing that a server sends
	}
	switch code {
	case 100: // the server is alive
		return ended, false, nil
	case 404: // no messages, or no more
		return ended, true, nil
	case 408:
		if strings.EqualFold(text, "Requests Pending") {
			return contended, true, nil
		}
		return ended, true, nil
	case 409:
		return ended, true, readConflict(text)
	case 423:
		return ended, true, errPin
	case 503:
		return ended, true, natsgo.ErrNoResponders
	}
	return ended, true, fmt.Errorf("the server refused the request: %s %s", status, text)
}

// readConflict reads why the server ended a request before its time.
func readConflict(text string) error {
	switch text {
	case "Batch Completed", "Message Size Exceeds MaxBytes": // as many bytes as were asked for
		return nil
	case "Consumer Deleted":
		return errDeleted
	default: // the consumer moved, the server stops, too many wait
		return fmt.Errorf("%w: %s", queue.ErrUnavailable, text)
	}
}
