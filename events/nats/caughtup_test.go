package nats_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
)

func TestASubscriberThatDoesNotWaitIsFedAllThatWasStoredBeforeItHearsThatThereIsNoMore(t *testing.T) {
	server := start(t, natsconn.ServerOptions{})
	s := open(t, server, eventsnats.Options{})
	defer s.Close()
	count := func(after events.Checkpoint) (n int) {
		sub, err := s.Subscribe(t.Context(), "p", after)
		require.NoError(t, err)
		defer sub.Stop()
		for {
			_, ready, err := sub.Next(t.Context(), false)
			require.NoError(t, err)
			if !ready {
				return n
			}
			n++
		}
	}
	assert.Zero(t, count(0), "nothing is stored")
	for i := range uint64(200) {
		_, err := s.Append(t.Context(), "p", events.Exactly(i), fmt.Sprint(i), note("x"))
		require.NoError(t, err)
	}
	_, err := s.Append(t.Context(), "other", events.NoStream(), "o", note("not for it, and the last of all"))
	require.NoError(t, err)
	last, _, err := s.Last(t.Context(), "p")
	require.NoError(t, err)
	assert.Equal(t, 200, count(0))
	assert.Zero(t, count(last.Checkpoint))
	assert.Zero(t, count(last.Checkpoint+1), "the end of the log")
}

func TestASubscriptionThatIsStoppedLeavesNothingAtTheServer(t *testing.T) {
	server := start(t, natsconn.ServerOptions{})
	s := open(t, server, eventsnats.Options{})
	defer s.Close()
	js, err := jetstream.New(connect(t, server))
	require.NoError(t, err)
	consumers := func() int {
		log, err := js.Stream(t.Context(), "DEED_EVENTS")
		require.NoError(t, err)
		return log.CachedInfo().State.Consumers
	}
	for range 3 {
		sub, err := s.Subscribe(t.Context(), "p", 0)
		require.NoError(t, err)
		require.Equal(t, 1, consumers())
		_, ready, err := sub.Next(t.Context(), false)
		require.NoError(t, err)
		require.False(t, ready)
		sub.Stop()
		require.Eventually(t, func() bool { return consumers() == 0 }, 10*time.Second, 5*time.Millisecond)
	}
}
