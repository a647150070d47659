package esdb_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/esdbtest"
)

func TestTheEndsOfStreamsAreTheirLastCommitsHoweverManyEventsThoseHave(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	want := map[string]string{}
	for i := range 100 {
		stream := fmt.Sprint("a", i)
		_, err := s.Append(soon(t), stream, events.NoStream(), "first", notes(3)...)
		require.NoError(t, err)
		_, err = s.Append(soon(t), stream, events.Exactly(3), "second", notes(1+i%20)...)
		require.NoError(t, err)
		want[stream] = fmt.Sprintf("%s second 4-%d", stream, 4+i%20)
	}
	_, err := s.Append(soon(t), "b", events.NoStream(), "other", note("x"))
	require.NoError(t, err)
	for name, s := range map[string]*events.Store{"which wrote them": s, "which has seen none": open(t, server.URL())} {
		got := map[string]string{}
		for c, err := range s.Ends(soon(t), "a") {
			require.NoError(t, err)
			require.NotContains(t, got, c.Stream, "each stream has one end")
			got[c.Stream] = label(c)
			require.Len(t, c.Events, int(c.Version()-c.First))
		}
		require.Equal(t, want, got, "read by a store %s", name)
	}
	server.Stop()
	var failed error
	for _, err := range s.Ends(soon(t), "") {
		require.NoError(t, failed, "an error is the last")
		failed = err
	}
	require.ErrorIs(t, failed, events.ErrUnavailable)
}
