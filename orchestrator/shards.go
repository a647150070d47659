package orchestrator

import (
	"hash/fnv"

	"github.com/deedrun/deed/queue"
)

// shareOf is the shards that fall to a replica, by rendezvous hashing (Thaler
// and Ravishankar): a shard falls to the replica with the highest score for it.
// Whoever knows the same names comes to the same result, and when a replica
// comes or goes, only shards that it gets or had change hands.
func shareOf(replica string, others []string) queue.Shards {
	share, mine := queue.Shards(0), seedOf(replica)
	rivals := make([]uint64, len(others))
	for i, other := range others {
		rivals[i] = seedOf(other)
	}
	for shard := range queue.ShardCount {
		wins, score := true, scoreOf(mine, shard)
		for i, other := range others {
			theirs := scoreOf(rivals[i], shard)
			wins = wins && (score > theirs || score == theirs && replica > other)
		}
		if wins {
			share = share.With(shard)
		}
	}
	return share
}

func seedOf(replica string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(replica))
	return h.Sum64()
}

// scoreOf mixes both with the finalizer of splitmix64. The seed alone would
// not do: names that differ in their last letter have seeds that hardly differ.
func scoreOf(seed uint64, shard int) uint64 {
	x := mix(seed) + uint64(shard+1)*0x9e3779b97f4a7c15
	return mix(x)
}

func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
