package nats

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

const (
	// window and windowBytes bound what one Send has under way unacknowledged.
	window      = 1024
	windowBytes = 16 << 20

	// retryFor is how long a Send tries again what the server did not take.
	retryFor = 3 * time.Second

	// ackWithin is how long the server may take for any next acknowledgement, and
	// replicasAckWithin how long several may: what was published while they had no
	// leader is lost, and electing one takes them a few seconds.
	ackWithin         = 10 * time.Second
	replicasAckWithin = 3 * time.Second
)

// errRefused ends a Send whose messages the server kept refusing.
var errRefused = errors.New("not stored: the server did not take it")

// Send publishes the messages with many under way at a time and waits until
// all are acknowledged.
//
// What the server certainly did not take, because it was starting, electing or
// overloaded, is sent again for up to 3 s; only then may a message of a key
// come after one that was sent later in the same call. What may or may not be
// stored, because the connection broke, or because a server alone took some of
// what was under way and refused some, is not: that is ErrUnavailable, and sending
// again is the caller's decision.
func (s *stream) Send(ctx context.Context, messages ...queue.Message) error {
	if err := ctx.Err(); err != nil {
		return s.failed(ctx, "send to", err)
	}
	for i, m := range messages {
		if err := m.Check(); err != nil {
			return fmt.Errorf("send to queue %q: message %d of %d: %w", s.name, i+1, len(messages), err)
		}
	}
	fits, tooLarge := s.fitting(messages)
	open := make([]int, fits)
	for i := range open {
		open[i] = i
	}
	giveUp := time.Now().Add(retryFor)
	for wait := 25 * time.Millisecond; len(open) > 0; wait = min(2*wait, 400*time.Millisecond) {
		refused, why, err := s.publish(ctx, messages, open)
		if err == nil && len(refused) > 0 && time.Now().After(giveUp) {
			err = fmt.Errorf("%w within %s: %d of %d messages: %w", errRefused, retryFor, len(refused), len(messages), why)
			return s.failed(ctx, "send to", fmt.Errorf("%w: %w", queue.ErrUnavailable, err))
		}
		if err != nil {
			return s.failed(ctx, "send to", err)
		}
		if open = refused; len(open) > 0 {
			pause(ctx, wait)
		}
	}
	return tooLarge
}

// fitting counts the messages before the first that is too large; the error is
// about that one.
func (s *stream) fitting(messages []queue.Message) (int, error) {
	limit := s.nc.MaxPayload()
	for i, m := range messages {
		if int64(len(m.Body)+headerSize(m)) > limit {
			return i, fmt.Errorf("send to queue %q: message %d of %d, key %q: %w: %d bytes, the server takes at most %d (its max_payload)",
				s.name, i+1, len(messages), m.Key, queue.ErrTooLarge, len(m.Body), limit)
		}
	}
	return len(messages), nil
}

// publish sends the messages that open names and waits for the acknowledgements.
// Those it returns are certainly not stored, and why one of them is not. After a
// refusal it sends no further ones, to keep the order.
func (s *stream) publish(ctx context.Context, messages []queue.Message, open []int) (refused []int, why, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	connection, refusals := s.inboxes.session(), natsconn.WatchRefusals(s.nc)
	if s.nc.IsClosed() {
		return nil, nil, natsgo.ErrConnectionClosed
	}
	if connection.lost() {
		return open, natsgo.ErrDisconnected, nil
	}
	in, err := s.inboxes.borrow(min(window, len(open)))
	if err != nil {
		return nil, nil, err
	}
	f := newFlight(messages, open, in, s.replicated)
	defer func() {
		if f.underWay == 0 {
			s.inboxes.release(in)
		} else {
			s.inboxes.abandon(in)
		}
	}()

	watch := time.NewTicker(watchEvery)
	defer watch.Stop()
	progress := time.Now()
	for {
		for f.maySend() && len(in.c) == 0 {
			m := messages[open[f.sent]]
			err := s.publishOne(m, f.subject(s, m), f.replyOf(f.sent))
			if err != nil && f.underWay == 0 && isUnavailable(err) {
				f.refused, f.why = append(f.refused, open[f.sent]), err
				f.sent++
				break
			}
			if err != nil {
				return nil, nil, fmt.Errorf("%w (%d of %d messages are stored)", err, f.stored, len(open))
			}
			f.sent++
			f.underWay++
			f.bytes += len(m.Body)
		}
		if f.underWay == 0 && !f.maySend() { // else what lies in the inbox is read first
			if f.stored > 0 && f.declined > 0 && !f.labelled {
				return nil, nil, fmt.Errorf("%w: %d of %d messages are stored, and which ones is not known: %w", queue.ErrUnavailable, f.stored, len(open), f.why)
			}
			refused = slices.Concat(f.refused, open[f.sent:])
			slices.Sort(refused)
			return refused, f.why, nil
		}
		if n := len(in.c); n > 0 { // what is there is read before anything else is looked at
			progress = time.Now()
			for range n {
				if err := f.settle(<-in.c); err != nil {
					return nil, nil, err
				}
			}
			continue
		}
		select {
		case m := <-in.c:
			if err := f.settle(m); err != nil {
				return nil, nil, err
			}
			progress = time.Now()
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-watch.C:
			if connection.lost() {
				return nil, nil, fmt.Errorf("%w: %d of %d messages are acknowledged, the others may be stored or not", natsgo.ErrDisconnected, f.stored, len(open))
			}
			if err := refusals.Of(s.prefix); err != nil {
				return nil, nil, err
			}
			if within := s.ackWithin(); time.Since(progress) > within {
				return nil, nil, fmt.Errorf("%w: no acknowledgement within %s; %d of %d messages are acknowledged", natsgo.ErrTimeout, within, f.stored, len(open))
			}
		}
	}
}

// traceHeader carries Message.Trace, by the name that all tools know.
const traceHeader = "traceparent"

// headerSize is what the server counts of a message beside its body.
func headerSize(m queue.Message) int {
	if m.Trace == "" {
		return 0
	}
	return len("NATS/1.0\r\n") + len(traceHeader) + len(": ") + len(m.Trace) + len("\r\n\r\n")
}

func (s *stream) publishOne(m queue.Message, subject, reply string) error {
	if m.Trace == "" {
		return s.nc.PublishRequest(subject, reply, m.Body)
	}
	return s.nc.PublishMsg(&natsgo.Msg{Subject: subject, Reply: reply, Data: m.Body, Header: natsgo.Header{traceHeader: {m.Trace}}})
}

func (s *stream) ackWithin() time.Duration {
	if s.replicated {
		return replicasAckWithin
	}
	return ackWithin
}

// flight is what a publish has under way.
//
// A server alone answers in the order in which it was asked, so all answers may come
// to one subject, which is cheaper for it and for us. In a cluster, where a refusal
// may overtake what is still being agreed on, each message has a subject of its own.
type flight struct {
	messages []queue.Message
	open     []int // of messages
	labelled bool
	reply    string        // the subject of answers; labelled: that it begins with
	settled  []bool        // labelled: as open
	last     queue.Message // that was sent
	at       string        // the subject that it was sent to
	sent     int           // of open
	underWay int
	bytes    int
	stored   int
	declined int   // by the server
	refused  []int // of messages
	why      error // one of them was
}

func newFlight(messages []queue.Message, open []int, in *inbox, labelled bool) *flight {
	f := &flight{messages: messages, open: open, labelled: labelled, reply: in.reply("")}
	if labelled {
		f.settled = make([]bool, len(open))
	}
	return f
}

// replyOf is the subject for the answer to a message.
func (f *flight) replyOf(n int) string {
	if !f.labelled {
		return f.reply
	}
	return f.reply + strconv.Itoa(n)
}

// answered is which message an answer is for, if it is one that is waited for.
func (f *flight) answered(m *natsgo.Msg) (n int, ok bool) {
	label, ours := strings.CutPrefix(m.Subject, f.reply)
	switch {
	case !ours || f.underWay == 0:
		return 0, false
	case !f.labelled:
		return f.sent - f.underWay, label == ""
	}
	n, err := strconv.Atoi(label)
	if err != nil || n < 0 || n >= f.sent || f.settled[n] {
		return 0, false
	}
	f.settled[n] = true
	return n, true
}

func (f *flight) maySend() bool {
	return f.sent < len(f.open) && len(f.refused) == 0 &&
		f.underWay < window && (f.underWay == 0 || f.bytes < windowBytes)
}

// subject is that of a message: mostly that of the one before.
func (f *flight) subject(s *stream, m queue.Message) string {
	if f.at == "" || m.Key != f.last.Key || m.Lane != f.last.Lane {
		f.last, f.at = m, s.prefix+s.form.subject(m)
	}
	return f.at
}

// settle reads one answer. An error is one that trying again does not help.
func (f *flight) settle(m *natsgo.Msg) error {
	n, ok := f.answered(m)
	if !ok {
		return nil // no answer to anything we asked
	}
	f.underWay--
	message := f.messages[f.open[n]]
	f.bytes -= len(message.Body)
	switch err := answerTo(m); {
	case err == nil:
		f.stored++
	case errors.Is(err, natsgo.ErrNoResponders) || isUnavailable(err):
		f.declined++
		f.refused, f.why = append(f.refused, f.open[n]), err
	default:
		return fmt.Errorf("message %d of %d, key %q: %w", f.open[n]+1, len(f.messages), message.Key, err)
	}
	return nil
}

// noResponders is the status by which a server says that nobody listens. One that
// refuses for too many requests sends a status, too, beside the error.
const noResponders = "503"

// answerTo reads what the server said to a publish; nil is stored.
func answerTo(m *natsgo.Msg) error {
	if m.Header != nil && m.Header.Get("Status") == noResponders {
		return natsgo.ErrNoResponders
	}
	if isPlainAck(m.Data) {
		return nil
	}
	var ack struct {
		Error  *jetstream.APIError `json:"error"`
		Stream string              `json:"stream"`
		Seq    uint64              `json:"seq"`
	}
	if err := json.Unmarshal(m.Data, &ack); err != nil || ack.Error == nil && (ack.Stream == "" || ack.Seq == 0) {
		return errors.New("the answer is no acknowledgement: does something else listen to this subject?")
	}
	if ack.Error == nil {
		return nil
	}
	return ack.Error
}

// isPlainAck recognises what a server says to nearly every publish, without the
// cost of reading it as JSON. What looks otherwise may mean the same.
func isPlainAck(data []byte) bool {
	rest, ok := bytes.CutPrefix(data, []byte(`{"stream":"`))
	if !ok {
		return false
	}
	name, rest, ok := bytes.Cut(rest, []byte(`","seq":`))
	rest, closed := bytes.CutSuffix(rest, []byte(`}`))
	if !ok || !closed || len(name) == 0 || len(rest) == 0 || rest[0] == '0' {
		return false
	}
	for _, c := range rest {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
