package nats

import (
	"context"
	"fmt"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

const (
	signalPrefix = "deed.signal."

	// mailboxSize is how many signals a listener may be behind.
	mailboxSize = 256

	// flushWithin bounds how long Subscribe waits for the server to know.
	flushWithin = 5 * time.Second
)

type signals struct{ nc *natsgo.Conn }

// NewSignals is the signals over a connection, which stays the caller's: those of a
// topic go over the subject deed.signal.<topic>, and everybody on the same servers
// hears them. One that falls more than 256 signals behind loses the oldest.
func NewSignals(nc *natsgo.Conn) queue.Signals { return &signals{nc: nc} }

// Publish sends body and does not wait for the server. While the connection is
// away it fails: an old signal is worse than none.
func (s *signals) Publish(ctx context.Context, topic string, body []byte) error {
	if err := queue.CheckTopic(topic); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("publish to topic %q: %w", topic, err)
	}
	if !s.nc.IsConnected() {
		return signalFailed("publish to", topic, s.away())
	}
	if err := s.nc.Publish(signalPrefix+topic, body); err != nil {
		return signalFailed("publish to", topic, err)
	}
	return nil
}

// Subscribe listens from when it returns. It goes on listening, with a gap,
// when the connection was lost and is back. A listener more than 256 signals
// behind loses the oldest.
func (s *signals) Subscribe(topic string) (queue.Listener, error) {
	if err := queue.CheckTopic(topic); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	if !s.nc.IsConnected() {
		return nil, signalFailed("subscribe to", topic, s.away())
	}
	refusals := natsconn.WatchRefusals(s.nc)
	l := &listener{Mailbox: queue.NewMailbox(mailboxSize)}
	sub, err := s.nc.Subscribe(signalPrefix+topic, func(m *natsgo.Msg) { l.Put(m.Data) })
	if err != nil {
		return nil, signalFailed("subscribe to", topic, err)
	}
	l.sub = sub
	// Else a publish on another connection could overtake the subscription.
	if err := s.nc.FlushTimeout(flushWithin); err != nil {
		l.Stop()
		return nil, signalFailed("subscribe to", topic, err)
	}
	if err := refusals.Of(signalPrefix + topic); err != nil { // the server has said so before it answered the flush
		l.Stop()
		return nil, signalFailed("subscribe to", topic, err)
	}
	return l, nil
}

func (s *signals) away() error {
	if s.nc.IsClosed() {
		return natsgo.ErrConnectionClosed
	}
	return natsgo.ErrDisconnected
}

func signalFailed(what, topic string, err error) error {
	if isUnavailable(err) {
		return fmt.Errorf("%s topic %q: %w: %w", what, topic, queue.ErrUnavailable, err)
	}
	return fmt.Errorf("%s topic %q: %w", what, topic, err)
}

type listener struct {
	*queue.Mailbox
	sub *natsgo.Subscription
}

// Stop ends the listening and closes C. Stopping again does nothing.
func (l *listener) Stop() {
	_ = l.sub.Unsubscribe() // fails only when there is nothing left to end
	l.Close()
}
