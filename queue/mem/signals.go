package mem

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/deedrun/deed/queue"
)

// mailboxSize is how many signals a listener may be behind.
const mailboxSize = 256

type signals struct {
	mu     sync.Mutex
	topics map[string][]*listener
}

// NewSignals is signals in memory: whoever shares them hears each other.
func NewSignals() queue.Signals { return &signals{topics: map[string][]*listener{}} }

// Publish puts body before everybody subscribed to topic; it never waits.
func (s *signals) Publish(ctx context.Context, topic string, body []byte) error {
	if err := queue.CheckTopic(topic); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("publish to topic %q: %w", topic, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.topics[topic] {
		l.Put(bytes.Clone(body))
	}
	return nil
}

// Subscribe listens from now on. A listener more than 256 signals behind loses the oldest.
func (s *signals) Subscribe(topic string) (queue.Listener, error) {
	if err := queue.CheckTopic(topic); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	l := &listener{Mailbox: queue.NewMailbox(mailboxSize), signals: s, topic: topic}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topics[topic] = append(s.topics[topic], l)
	return l, nil
}

type listener struct {
	*queue.Mailbox
	signals *signals
	topic   string
}

// Stop ends the listening and closes C. Stopping again does nothing.
func (l *listener) Stop() {
	s := l.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topics[l.topic] = slices.DeleteFunc(s.topics[l.topic], func(other *listener) bool { return other == l })
	if len(s.topics[l.topic]) == 0 {
		delete(s.topics, l.topic)
	}
	l.Close()
}
