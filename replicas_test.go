package deed

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhoDoesNotOrchestrateWaitsUntilSomebodyHasServedThere(t *testing.T) {
	t.Parallel()
	o := external(t)
	o.Orchestrate = false
	var unreachable *UnreachableError
	err := opens(t, o)
	require.ErrorAs(t, err, &unreachable)
	require.ErrorContains(t, err, "nobody has served deed at "+o.Server+" yet: start `deed serve` there")

	o.Orchestrate = true
	require.NoError(t, opens(t, o))
	o.Orchestrate = false
	require.NoError(t, opens(t, o), "what was served once is there")
}

func TestAnotherNumberOfReplicasThanTheStreamsHaveIsRefused(t *testing.T) {
	t.Parallel()
	o := external(t)
	o.Replicas = 1
	require.NoError(t, opens(t, o))
	o.Replicas = 3
	require.ErrorContains(t, opens(t, o), "are kept on 1 servers, not on 3: leave out --replicas")
	o.Replicas = 0
	require.NoError(t, opens(t, o))
}
