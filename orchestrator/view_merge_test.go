package orchestrator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

func TestWhatSeveralReplicasSeeIsPutTogether(t *testing.T) {
	second := task.Duration(time.Second)
	a := View{
		Certain: true, Shards: 1, Replicas: []ReplicaView{{Replica: "a", Shards: 1}}, More: 2,
		Workers: []WorkerView{{Worker: "w1", Slots: 2, Silent: 2 * second}, {Worker: "w2"}},
		Running: []RunningTask{{Process: "p", Worker: "w1", Elapsed: second}},
		Pools:   []PoolView{{Workers: 2, Slots: 4, Waiting: 10, Out: 3, Took: second, Backlog: 5 * second}},
		Queues:  []QueueView{{Process: "p", Pending: 10}},
	}
	b := View{
		Certain: true, Shards: ^queue.Shards(1), Replicas: []ReplicaView{{Replica: "b", Shards: ^queue.Shards(1)}}, More: 3,
		Workers: []WorkerView{{Worker: "w1", Slots: 2, Silent: second}, {Worker: "w3"}},
		Running: []RunningTask{{Process: "q", Worker: "w1", Elapsed: 2 * second}, {Process: "p", Worker: "w1", Elapsed: second}},
		Pools:   []PoolView{{Workers: 3, Slots: 6, Waiting: 5, Out: 1, Took: 4 * second, Backlog: 20 * second}, {Pool: "gpu", Waiting: 1}},
		Queues:  []QueueView{{Process: "p", Pending: 10}, {Process: "a", Pending: 1}},
	}
	seen := answers{}
	seen.add(View{Replicas: []ReplicaView{{Replica: "a"}}}) // an earlier answer
	seen.add(b)
	seen.add(a)
	require.Equal(t, queue.AllShards, seen.shards())
	require.Equal(t, View{
		Certain: true, Shards: queue.AllShards, Replicas: []ReplicaView{{Replica: "a", Shards: 1}, {Replica: "b", Shards: ^queue.Shards(1)}}, More: 5,
		Workers: []WorkerView{{Worker: "w1", Slots: 2, Silent: second}, {Worker: "w2"}, {Worker: "w3"}},
		Running: []RunningTask{{Process: "q", Worker: "w1", Elapsed: 2 * second}, {Process: "p", Worker: "w1", Elapsed: second}},
		Pools: []PoolView{
			{Workers: 3, Slots: 6, Waiting: 15, Out: 4, Took: 2 * second, Backlog: 25 * second},
			{Pool: "gpu", Waiting: 1},
		},
		Queues: []QueueView{{Process: "a", Pending: 1}, {Process: "p", Pending: 10}},
	}, seen.merge())

	b.Certain = false
	seen.add(b)
	require.False(t, seen.merge().Certain)
}

func TestAnAnswerOfAVersionWithoutReplicasIsAboutEverything(t *testing.T) {
	seen := answers{}
	seen.add(View{Queues: []QueueView{{Process: "p"}}})
	require.Equal(t, queue.AllShards, seen.shards())
}

func TestWhatAReplicaSawIsNotAddedToWhatSeesWhoTookItsShards(t *testing.T) {
	sees := func(name string, shards queue.Shards, waiting int) View {
		return View{Shards: shards, Replicas: []ReplicaView{{Replica: name, Shards: shards}}, Pools: []PoolView{{Waiting: waiting}}}
	}
	seen := answers{}
	seen.add(sees("died", 0b0011, 7))
	seen.add(sees("other", 0b1000, 2))
	seen.add(sees("other", queue.AllShards, 9))
	v := seen.merge()
	require.Equal(t, []ReplicaView{{Replica: "other", Shards: queue.AllShards}}, v.Replicas)
	require.Equal(t, []PoolView{{Waiting: 9}}, v.Pools)
}
