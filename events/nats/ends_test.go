package nats_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
)

// ends are the IDs of the last commits by stream.
func ends(t *testing.T, s *events.Store, prefix string) map[string]string {
	t.Helper()
	last := map[string]string{}
	for c, err := range s.Ends(t.Context(), prefix) {
		require.NoError(t, err)
		require.NotContains(t, last, c.Stream, "each stream has one end")
		last[c.Stream] = fmt.Sprint(c.ID, " at ", c.Version())
	}
	return last
}

func TestTheEndsOfMoreStreamsThanOneRequestAsksAboutAreReadOnceEach(t *testing.T) {
	s := open(t, start(t, natsconn.ServerOptions{NoSync: true}), eventsnats.Options{})
	want := map[string]string{}
	for i := range 1_100 {
		stream := fmt.Sprintf("a.%d", i)
		_, err := s.Append(t.Context(), stream, events.NoStream(), "first", note("x"), note("y"))
		require.NoError(t, err)
		want[stream] = "first at 2"
	}
	for i := range 50 {
		stream := fmt.Sprintf("a.%d", i*20)
		_, err := s.Append(t.Context(), stream, events.Exactly(2), "second", note("z"))
		require.NoError(t, err)
		want[stream] = "second at 3"
	}
	_, err := s.Append(t.Context(), "b", events.NoStream(), "other", note("x"))
	require.NoError(t, err)
	require.Equal(t, want, ends(t, s, "a."))
	require.Empty(t, ends(t, s, "c"))
}

func TestEndsThatAreTooLargeForOneAnswerAreAllRead(t *testing.T) {
	s := open(t, start(t, natsconn.ServerOptions{NoSync: true}), eventsnats.Options{})
	large := events.Record{Type: "Noted", Data: bytes.Join([][]byte{[]byte(`"`), bytes.Repeat([]byte("x"), 900<<10), []byte(`"`)}, nil)}
	want := map[string]string{}
	for i := range 8 {
		stream := fmt.Sprint("a", i)
		_, err := s.Append(t.Context(), stream, events.NoStream(), "large", large)
		require.NoError(t, err)
		want[stream] = "large at 1"
	}
	require.Equal(t, want, ends(t, s, "a"))
}

func TestReadingEndsFailsWhenTheServerIsGone(t *testing.T) {
	server := start(t, natsconn.ServerOptions{NoSync: true})
	s := open(t, server, eventsnats.Options{})
	server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var failed error
	for _, err := range s.Ends(ctx, "") {
		require.NoError(t, failed, "an error is the last")
		failed = err
	}
	require.ErrorIs(t, failed, events.ErrUnavailable)
}
