package raw

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

func rig(t *testing.T, o Options) *Rig {
	t.Helper()
	o.Dir = t.TempDir()
	r, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

func TestALoopOfAnyShapeFoldsEachTaskOnceIntoEvents(t *testing.T) {
	for _, shape := range [][2]int{{1, 1}, {1, window + 1}, {5, 1}, {3, 700}} {
		r := rig(t, Options{TCP: shape[0] == 5})
		hops, err := r.Loop(t.Context(), shape[0], shape[1])
		require.NoError(t, err)
		require.Len(t, hops, shape[0]-1)
		nc, err := r.connect()
		require.NoError(t, err)
		js, err := jetstream.New(nc)
		require.NoError(t, err)
		log, err := js.Stream(t.Context(), events)
		require.NoError(t, err)
		require.GreaterOrEqual(t, log.CachedInfo().State.Msgs, uint64(shape[0]), "a step waits for the event of the one before")
		folded := 0
		for seq := range log.CachedInfo().State.LastSeq {
			m, err := log.GetMsg(t.Context(), seq+1)
			require.NoError(t, err)
			folded += len(m.Data) / 4
		}
		require.Equal(t, shape[0]*shape[1], folded)
	}
}

func TestAnEventOfSomebodyElseEndsTheLoop(t *testing.T) {
	r := rig(t, Options{})
	nc, err := r.connect()
	require.NoError(t, err)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.Publish(t.Context(), events, []byte("mine"))
	require.NoError(t, err)
	_, err = r.Loop(t.Context(), 1, 10)
	require.ErrorContains(t, err, "wrong last sequence")
}

func TestALoopThatIsCancelledEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := rig(t, Options{}).Loop(ctx, 1, 10)
	require.ErrorIs(t, err, context.Canceled)
}

func TestALoopOfNothingIsRefused(t *testing.T) {
	_, err := rig(t, Options{}).Loop(t.Context(), 1, 0)
	require.ErrorContains(t, err, "at least one of each")
}
