package esdb_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/esdbtest"
)

func TestAnAppendWhoseConnectionIsCutIsStoredOnce(t *testing.T) {
	for name, fault := range map[string]esdbtest.Fault{
		"before it is stored":               esdbtest.CutBefore,
		"after it is stored":                esdbtest.CutAfter,
		"while the server is not ready":     esdbtest.NotReady,
		"when the server says it timed out": esdbtest.TimedOut,
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t, esdbtest.Options{})
			s := open(t, server.URL())
			_, err := s.Append(soon(t), "a", events.NoStream(), "c1", notes(2)...)
			require.NoError(t, err)
			server.Next(esdbtest.Append, fault)
			version, err := s.Append(soon(t), "a", events.Exactly(2), "c2", notes(3)...)
			require.NoError(t, err, "one lost answer is the driver's business")
			assert.EqualValues(t, 5, version)

			server.Next(esdbtest.Append, fault, fault)
			_, err = s.Append(soon(t), "a", events.Exactly(5), "c3", notes(1)...)
			if fault == esdbtest.CutAfter {
				require.NoError(t, err, "the stream tells who wrote")
			} else {
				require.ErrorIs(t, err, events.ErrUnavailable)
				assert.ErrorContains(t, err, server.Address())
			}
			for range 2 { // as a caller does who did not hear
				version, err = s.Append(soon(t), "a", events.Exactly(5), "c3", notes(1)...)
				require.NoError(t, err)
				assert.EqualValues(t, 6, version)
			}
			assert.Equal(t, []string{"a c1 1-2", "a c2 3-5", "a c3 6-6"}, stored(t, s, "a"))
		})
	}
}

func TestAnAppendAtAnyVersionIsNotSentAgain(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	_, err := s.Append(soon(t), "a", events.Any(), "c1", note("x"))
	require.NoError(t, err)
	server.Next(esdbtest.Append, esdbtest.CutAfter)
	_, err = s.Append(soon(t), "a", events.Any(), "c2", note("y"))
	require.ErrorIs(t, err, events.ErrUnavailable, "whether it was stored nobody can tell")
	assert.Equal(t, []string{"a c1 1-1", "a c2 2-2"}, stored(t, s, "a"))
}

func TestAConflictAfterALostAnswerNamesWhoeverFollowed(t *testing.T) {
	server := start(t, esdbtest.Options{})
	one, two := open(t, server.URL()), open(t, server.URL())
	_, err := one.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	_, err = two.Append(soon(t), "a", events.Exactly(1), "c2", note("y"))
	require.NoError(t, err)
	_, err = one.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	var conflict *events.ConflictError
	require.ErrorAs(t, err, &conflict, "the server would take the repeat for a success")
	assert.EqualValues(t, 2, conflict.Actual)
}

func TestAServerThatDoesNotAnswerIsUnavailableWithinTheDeadlineOfTheURL(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL(), "defaultDeadline=100")
	gate := make(chan struct{})
	defer close(gate)
	server.Next(esdbtest.Append, esdbtest.Delay(0), esdbtest.Hold(gate), esdbtest.Hold(gate)) // the first makes the name known
	began := time.Now()
	_, err := s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.ErrorIs(t, err, events.ErrUnavailable)
	assert.Less(t, time.Since(began), patience/2)
	_, err = s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a c1 1-1"}, stored(t, s, "a"))
}

func TestACallReturnsWhenItsContextEnds(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	_, err := s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	gate := make(chan struct{})
	defer close(gate)
	for name, c := range map[string]struct {
		held esdbtest.Call
		call func(ctx context.Context) error
	}{
		"append": {esdbtest.Append, func(ctx context.Context) error {
			_, err := s.Append(ctx, "a", events.Exactly(1), "c2", note("y"))
			return err
		}},
		"read": {esdbtest.Read, func(ctx context.Context) error {
			for _, err := range s.Read(ctx, "a", 0) {
				return err
			}
			return nil
		}},
		"last": {esdbtest.Read, func(ctx context.Context) error {
			_, _, err := s.Last(ctx, "a")
			return err
		}},
		"streams": {esdbtest.Read, func(ctx context.Context) error {
			_, err := s.Streams(ctx, "")
			return err
		}},
		"subscribe": {esdbtest.Subscribe, func(ctx context.Context) error {
			_, err := s.Subscribe(ctx, "", 0)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(soon(t))
			before := server.Calls(c.held)
			server.Next(c.held, esdbtest.Hold(gate))
			failed := make(chan error, 1)
			go func() { failed <- c.call(ctx) }()
			require.Eventually(t, func() bool { return server.Calls(c.held) > before }, patience, time.Millisecond)
			cancel()
			select {
			case err := <-failed:
				require.ErrorIs(t, err, context.Canceled)
				assert.NotErrorIs(t, err, events.ErrUnavailable)
			case <-time.After(patience):
				t.Fatal("it did not return")
			}
		})
	}
	assert.Equal(t, []string{"a c1 1-1"}, stored(t, s, "a"), "and the connections still serve")
}

func TestWhatIsTooLargeIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	const limit = 4096
	t.Run("what the driver lets through the server takes, to the byte", func(t *testing.T) {
		server := start(t, esdbtest.Options{MaxAppend: limit})
		s := open(t, server.URL(), fmt.Sprintf("maxAppendSize=%d", limit))
		fits := func(n int) bool {
			stream := fmt.Sprintf("s%d", n)
			_, err := s.Append(soon(t), stream, events.NoStream(), "c", note("x"), note(strings.Repeat("x", n)))
			if err != nil {
				require.ErrorIs(t, err, events.ErrTooLarge)
				assert.ErrorContains(t, err, fmt.Sprintf("at most %d fit", limit))
				names, err := s.Streams(soon(t), stream)
				require.NoError(t, err)
				assert.Empty(t, names)
			}
			return err == nil
		}
		low, high := 0, limit
		for low+1 < high {
			if middle := (low + high) / 2; fits(middle) {
				low = middle
			} else {
				high = middle
			}
		}
		assert.Greater(t, low, limit/2)
	})

	t.Run("a server with a lower limit than the URL says is told from one that is away", func(t *testing.T) {
		server := start(t, esdbtest.Options{})
		s := open(t, server.URL(), fmt.Sprintf("maxAppendSize=%d", most))
		_, err := s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
		require.NoError(t, err)
		big := note(strings.Repeat("x", 200<<10))
		_, err = s.Append(soon(t), "a", events.Exactly(1), "c2", big, big, big, big, big, big, big, big, big, big, big, big)
		require.ErrorIs(t, err, events.ErrTooLarge)
		assert.ErrorContains(t, err, "its MaxAppendSize is below the URL's maxAppendSize")
		assert.Equal(t, []string{"a c1 1-1"}, stored(t, s, "a"))
	})
}

func TestAStreamIsListedOnceItExists(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	server.Next(esdbtest.Append, esdbtest.Delay(0), esdbtest.NotReady, esdbtest.NotReady) // its name, and then itself twice
	_, err := s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.ErrorIs(t, err, events.ErrUnavailable)
	names, err := s.Streams(soon(t), "")
	require.NoError(t, err)
	assert.Empty(t, names, "its name is known to the server, but there is no event")

	before := server.Calls(esdbtest.Append)
	_, err = s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	assert.Equal(t, 1, server.Calls(esdbtest.Append)-before, "its name is not written again")
	for _, s := range []*events.Store{s, open(t, server.URL())} {
		names, err = s.Streams(soon(t), "")
		require.NoError(t, err)
		assert.Equal(t, []string{"a"}, names)
	}
}
