package nats_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/natsconn"
)

func TestWhoHasLookedAtTheEndOfAStreamAppendsInOneRequest(t *testing.T) {
	server := start(t, natsconn.ServerOptions{})
	nc := connect(t, server)
	driver, err := eventsnats.Open(t.Context(), nc, eventsnats.Options{})
	require.NoError(t, err)
	s, other := events.New(driver), open(t, server, eventsnats.Options{})
	requests := func(do func()) uint64 {
		before := nc.Stats().OutMsgs
		do()
		return nc.Stats().OutMsgs - before
	}
	look := func(stream string, is bool) {
		_, ok, err := s.Last(t.Context(), stream)
		require.NoError(t, err)
		require.Equal(t, is, ok)
	}

	look("new", false)
	require.EqualValues(t, 1, requests(func() {
		_, err := s.Append(t.Context(), "new", events.NoStream(), "c1", note("x"))
		require.NoError(t, err)
	}))

	_, err = other.Append(t.Context(), "old", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	look("old", true)
	require.EqualValues(t, 1, requests(func() {
		_, err := s.Append(t.Context(), "old", events.Exactly(1), "c2", note("x"))
		require.NoError(t, err)
	}))

	look("overtaken", false)
	_, err = other.Append(t.Context(), "overtaken", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	var conflict *events.ConflictError
	_, err = s.Append(t.Context(), "overtaken", events.NoStream(), "c2", note("x"))
	require.ErrorAs(t, err, &conflict, "what was seen before is no more than a guess")
	require.EqualValues(t, 1, conflict.Actual)
}
