package orchestrator

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
)

// shares are the shards of each of n replicas, named as replicas are.
func shares(t *testing.T, names []string) map[string]queue.Shards {
	t.Helper()
	all, sum := map[string]queue.Shards{}, queue.Shards(0)
	for i, name := range names {
		share := shareOf(name, slices.Concat(names[:i], names[i+1:]))
		require.Zero(t, sum&share, "a shard falls to two")
		sum |= share
		all[name] = share
	}
	require.Equal(t, queue.AllShards, sum, "a shard falls to nobody")
	return all
}

func namesOf(n, run int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("deed-%d-%x", i, run))
	}
	return names
}

func TestShardsAreSpreadOverReplicasWithinReason(t *testing.T) {
	for n := 1; n <= 8; n++ {
		fair, least, most, largest := queue.ShardCount/n, queue.ShardCount, 0, 0
		const runs = 200
		for run := range runs {
			here := 0
			for _, share := range shares(t, namesOf(n, run)) {
				least, here = min(least, share.Len()), max(here, share.Len())
			}
			most, largest = max(most, here), largest+here
		}
		require.Less(t, most, 3*(fair+1), "the worst of all runs, with %d replicas", n)
		require.Less(t, largest, 2*(fair+1)*runs, "the largest share as a rule, with %d replicas", n)
		t.Logf("%d replicas: %d shards each would be fair; %d to %d in %d runs, the largest share %d as a rule", n, fair, least, most, runs, largest/runs)
	}
}

func TestWhenAReplicaComesOrGoesOnlyItsOwnShardsMove(t *testing.T) {
	for run := range 50 {
		names := namesOf(5, run)
		before, after := shares(t, names[:4]), shares(t, names)
		joined := after[names[4]]
		for _, name := range names[:4] {
			require.Equal(t, before[name]&^joined, after[name], "it keeps all but what falls to the new one")
		}
	}
}
