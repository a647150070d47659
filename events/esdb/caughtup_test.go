package esdb_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/esdbtest"
)

func TestASubscriberThatDoesNotWaitIsFedAllThatWasStoredBeforeItHearsThatThereIsNoMore(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	count := func(after events.Checkpoint) (n int) {
		sub := subscribe(t, s, "p", after)
		defer sub.Stop()
		for {
			_, ready, err := sub.Next(soon(t), false)
			require.NoError(t, err)
			if !ready {
				return n
			}
			n++
		}
	}
	assert.Zero(t, count(0), "nothing is stored")
	for i := range uint64(50) {
		_, err := s.Append(soon(t), "p", events.Exactly(2*i), fmt.Sprint(i), notes(2)...)
		require.NoError(t, err)
	}
	_, err := s.Append(soon(t), "other", events.NoStream(), "o", note("not for it, and the last of all"))
	require.NoError(t, err)
	last, _, err := s.Last(soon(t), "p")
	require.NoError(t, err)
	assert.Equal(t, 50, count(0))
	assert.Zero(t, count(last.Checkpoint))
	server.Next(esdbtest.Subscribe, esdbtest.CutAfterEvents(31))
	assert.Equal(t, 50, count(0), "also when it is cut off on the way")
}
