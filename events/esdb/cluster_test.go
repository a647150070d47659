package esdb_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/esdbtest"
)

func join(t testing.TB, s *esdbtest.Server) *esdbtest.Server {
	t.Helper()
	node, err := s.Join()
	require.NoError(t, err)
	t.Cleanup(node.Stop)
	return node
}

func TestWhoeverAsksAFollowerIsLedToTheLeader(t *testing.T) {
	leader := start(t, esdbtest.Options{})
	follower := join(t, leader)
	s := open(t, follower.URL())
	version, err := s.Append(soon(t), "a", events.NoStream(), "c1", notes(3)...)
	require.NoError(t, err)
	assert.EqualValues(t, 3, version)
	assert.Equal(t, []string{"a c1 1-3"}, stored(t, s, "a"))
	assert.Equal(t, []string{"a c1 1-3"}, take(t, subscribe(t, s, "", 0), 1))
	assert.Positive(t, leader.Calls(esdbtest.Append))

	feeding := leader.Calls(esdbtest.Subscribe)
	subscribe(t, open(t, follower.URL(), "nodePreference=follower"), "", 0)
	assert.Equal(t, feeding, leader.Calls(esdbtest.Subscribe), "a subscription is fed by whom the URL prefers")
}

func TestALeaderThatChangesLosesNothing(t *testing.T) {
	one := start(t, esdbtest.Options{})
	nodes := []*esdbtest.Server{one, join(t, one), join(t, one)}
	seeds := fmt.Sprintf("esdb://%s,%s,%s?tls=false", nodes[0].Address(), nodes[1].Address(), nodes[2].Address())
	s := open(t, seeds)
	sub := subscribe(t, s, "", 0)
	var want, got []string
	for i := range uint64(12) {
		switch {
		case i%3 == 0:
			nodes[i/3%3].Lead()
		case i == 7: // the leader dies, and another one is elected
			nodes[2].Stop()
			nodes[1].Lead()
		case i == 10:
			require.NoError(t, nodes[2].Restart())
		}
		version, err := s.Append(soon(t), "a", events.Exactly(2*i), fmt.Sprint(i), notes(2)...)
		require.NoError(t, err)
		want = append(want, fmt.Sprintf("a %d %d-%d", i, version-1, version))
		got = append(got, take(t, sub, 1)...)
	}
	assert.Equal(t, want, got)
	assert.Equal(t, want, stored(t, s, "a"))
}

func TestWithoutALeaderTheStoreIsUnavailableUntilThereIsOne(t *testing.T) {
	server := start(t, esdbtest.Options{})
	s := open(t, server.URL())
	_, err := s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	sub := subscribe(t, s, "", 0)
	take(t, sub, 1)
	server.Leaderless()
	_, err = s.Append(soon(t), "a", events.Exactly(1), "c2", note("y"))
	require.ErrorIs(t, err, events.ErrUnavailable)
	_, err = s.Version(soon(t), "a")
	require.ErrorIs(t, err, events.ErrUnavailable, "and not a stream that does not exist")
	server.Lead()
	_, err = s.Append(soon(t), "a", events.Exactly(1), "c2", note("y"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a c2 2-2"}, take(t, sub, 1))
}

func TestAServerThatMovedIsFoundThroughTheOthers(t *testing.T) {
	one := start(t, esdbtest.Options{})
	two := join(t, one)
	s := open(t, fmt.Sprintf("esdb://%s,%s?tls=false", one.Address(), two.Address()))
	_, err := s.Append(soon(t), "a", events.NoStream(), "c1", note("x"))
	require.NoError(t, err)
	before := one.Address()
	require.NoError(t, one.Move())
	require.NotEqual(t, before, one.Address())
	_, err = s.Append(soon(t), "a", events.Exactly(1), "c2", note("y"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a c1 1-1", "a c2 2-2"}, stored(t, s, "a"))
}
