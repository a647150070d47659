package queuetest

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

// OpenSignals makes two ends that hear each other, over connections of their
// own where the backend has connections.
type OpenSignals func(t *testing.T) (a, b queue.Signals)

// RunSignals checks the contract of queue.Signals.
func RunSignals(t *testing.T, open OpenSignals) {
	subscribe := func(t *testing.T, s queue.Signals, topic string) queue.Listener {
		l, err := s.Subscribe(topic)
		require.NoError(t, err)
		t.Cleanup(l.Stop)
		return l
	}
	publish := func(t *testing.T, s queue.Signals, topic, body string) {
		require.NoError(t, s.Publish(t.Context(), topic, []byte(body)))
	}
	next := func(t *testing.T, l queue.Listener) string {
		select {
		case body, ok := <-l.C():
			require.True(t, ok, "the listener was stopped")
			return string(body)
		case <-time.After(soon):
			require.Fail(t, "no signal came")
			return ""
		}
	}

	t.Run("everybody who listens to a topic gets its signals, in order", func(t *testing.T) {
		a, b := open(t)
		listeners := []queue.Listener{subscribe(t, a, "heartbeat"), subscribe(t, b, "heartbeat"), subscribe(t, b, "heartbeat")}
		publish(t, a, "heartbeat", "1")
		publish(t, a, "heartbeat", "2")
		for _, l := range listeners {
			assert.Equal(t, "1", next(t, l))
			assert.Equal(t, "2", next(t, l))
		}
	})

	t.Run("a signal reaches its topic only", func(t *testing.T) {
		a, b := open(t)
		cancels, beats := subscribe(t, b, "cancel.p-1"), subscribe(t, b, "heartbeat")
		publish(t, a, "heartbeat", "beat")
		publish(t, a, "cancel.p-2", "not for us")
		publish(t, a, "cancel.p-1", "cancel")
		assert.Equal(t, "cancel", next(t, cancels))
		assert.Equal(t, "beat", next(t, beats))
	})

	t.Run("who listens later misses what was published before", func(t *testing.T) {
		a, b := open(t)
		early := subscribe(t, b, "news")
		publish(t, a, "news", "old")
		assert.Equal(t, "old", next(t, early))
		late := subscribe(t, b, "news")
		publish(t, a, "news", "new")
		assert.Equal(t, "new", next(t, late))
	})

	t.Run("a signal nobody listens to is no error", func(t *testing.T) {
		a, _ := open(t)
		publish(t, a, "void", "")
	})

	t.Run("an empty signal arrives", func(t *testing.T) {
		a, b := open(t)
		l := subscribe(t, b, "news")
		publish(t, a, "news", "")
		assert.Empty(t, next(t, l))
	})

	t.Run("Stop closes the channel; stopping twice is no error, and others go on", func(t *testing.T) {
		a, b := open(t)
		stopped, other := subscribe(t, b, "news"), subscribe(t, b, "news")
		stopped.Stop()
		stopped.Stop()
		_, open := <-stopped.C()
		assert.False(t, open)
		publish(t, a, "news", "still")
		assert.Equal(t, "still", next(t, other))
	})

	t.Run("a listener that does not keep up loses the oldest signals and never blocks who publishes", func(t *testing.T) {
		a, b := open(t)
		slow, quick := subscribe(t, b, "news"), subscribe(t, b, "news")
		const n = 2000
		for i := range n {
			publish(t, a, "news", string(binary.BigEndian.AppendUint32(nil, uint32(i))))
			// The listener that keeps up says when the signal has arrived.
			if got := next(t, quick); binary.BigEndian.Uint32([]byte(got)) != uint32(i) {
				require.Fail(t, "out of order", "signal %q came at place %d", got, i)
			}
		}
		publish(t, a, "news", "last")
		assert.Equal(t, "last", next(t, quick))

		var got []uint32
		for {
			body := next(t, slow)
			if body == "last" {
				break
			}
			got = append(got, binary.BigEndian.Uint32([]byte(body)))
		}
		require.NotEmpty(t, got)
		assert.Less(t, len(got), n, "the listener held everything: its memory is not bounded")
		assert.EqualValues(t, n-1, got[len(got)-1], "the newest signal was lost")
		// What arrives while the listener begins to read may push out more.
		for i := 1; i < len(got); i++ {
			require.Less(t, got[i-1], got[i], "out of order")
		}
	})

	t.Run("a topic that could not be an address is refused", func(t *testing.T) {
		a, _ := open(t)
		for _, topic := range []string{"", "A", "a..b", ".a", "a.", "*", "a.>", "a b"} {
			_, err := a.Subscribe(topic)
			require.ErrorContains(t, err, "signal topic", "topic %q", topic)
			require.ErrorContains(t, a.Publish(t.Context(), topic, nil), "signal topic", "topic %q", topic)
		}
	})

	t.Run("with a context that has ended nothing is published", func(t *testing.T) {
		a, b := open(t)
		l := subscribe(t, b, "news")
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, a.Publish(ended, "news", []byte("no")), context.Canceled)
		publish(t, a, "news", "yes")
		assert.Equal(t, "yes", next(t, l))
	})
}
