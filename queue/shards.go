package queue

import (
	"context"
	"hash/fnv"
	"iter"
	"math/bits"
)

// ShardCount is how many shards a sharded queue has. It is storage: the same
// key lies in the same shard for as long as the queue exists.
const ShardCount = 64

// Sharded is a queue in ShardCount shards, each of which is received from by
// one consumer at a time, so that it sees all messages of a key in order.
// Send files a message in the shard of its key, whatever its lane: those of all
// lanes come in one order. The lane of a message that names none is "".
type Sharded interface {
	Queue

	// Hold makes Receive take from these shards and from no others; before the
	// first Hold it takes nothing. What was received from a shard before it is
	// let go may still be acked. What was not returned by Receive yet goes to
	// the next holder at once, though its Count may say that it was delivered
	// before: from a sharded queue that tells nothing about who tried to handle
	// it. While messages come, who else wants a shard that is held gets nothing of
	// it; one whose holder died is free after two seconds.
	//
	// That two hold the same shard for a moment is possible, and of an idle one
	// either may get the next message: a delivery may be repeated, and something
	// else has to fence what they do.
	Hold(ctx context.Context, shards Shards) error
}

// Shards is a set of shards.
type Shards uint64

// AllShards is all there are.
const AllShards = ^Shards(0)

// ShardOf is the shard of a key.
func ShardOf(key string) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	x := h.Sum64() // its low bits alone depend too little on the last letters
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return int(x % ShardCount)
}

// Has reports whether a shard is in the set.
func (s Shards) Has(shard int) bool { return s&(1<<shard) != 0 }

// Holds reports whether the shard of a key is in the set.
func (s Shards) Holds(key string) bool { return s.Has(ShardOf(key)) }

// With is the set and one more.
func (s Shards) With(shard int) Shards { return s | 1<<shard }

// Without is the set without those of another.
func (s Shards) Without(other Shards) Shards { return s &^ other }

// Len is how many there are.
func (s Shards) Len() int { return bits.OnesCount64(uint64(s)) }

// All yields them in order.
func (s Shards) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for rest := uint64(s); rest != 0; rest &= rest - 1 {
			if !yield(bits.TrailingZeros64(rest)) {
				return
			}
		}
	}
}
