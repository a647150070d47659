package orchestrator

import (
	"cmp"
	"maps"
	"slices"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// answers are the views of several replicas, the latest of each.
type answers map[string]View

// add takes in an answer. One that names nobody is of a version without
// replicas, which saw everything. Who has answered for shards that are all in a
// later answer of another has let go of them, or is gone.
func (a answers) add(v View) {
	name := ""
	if len(v.Replicas) > 0 {
		name = v.Replicas[0].Replica
	} else {
		v.Shards = queue.AllShards
	}
	maps.DeleteFunc(a, func(_ string, earlier View) bool { return earlier.Shards.Without(v.Shards) == 0 })
	a[name] = v
}

// shards are those that somebody answered for.
func (a answers) shards() (all queue.Shards) {
	for _, v := range a {
		all |= v.Shards
	}
	return all
}

// merge puts the views together. Workers, and what they execute, are seen by
// all replicas; what waits, each sees of its own processes. In a handover two
// may see the same process.
func (a answers) merge() View {
	m := View{Certain: true, Shards: a.shards(), Replicas: []ReplicaView{}}
	workers, pools := map[string]WorkerView{}, map[string]PoolView{}
	running, queues := map[executed]RunningTask{}, map[string]QueueView{}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		v := a[name]
		m.Certain = m.Certain && v.Certain
		m.Replicas = append(m.Replicas, v.Replicas...)
		m.More += v.More
		for _, w := range v.Workers {
			if known, has := workers[w.Worker]; !has || w.Silent < known.Silent {
				workers[w.Worker] = w
			}
		}
		for _, p := range v.Pools {
			pools[p.Pool] = pools[p.Pool].and(p)
		}
		for _, r := range v.Running {
			running[executed{r.Worker, task.Attempt{Process: r.Process, Address: r.Address, Generation: r.Generation, Index: r.Index, Attempt: r.Attempt}}] = r
		}
		for _, q := range v.Queues {
			queues[q.Process] = q
		}
	}
	m.Workers = slices.SortedFunc(maps.Values(workers), func(a, b WorkerView) int { return cmp.Compare(a.Worker, b.Worker) })
	m.Pools = slices.SortedFunc(maps.Values(pools), func(a, b PoolView) int { return cmp.Compare(a.Pool, b.Pool) })
	m.Running = slices.SortedFunc(maps.Values(running), longestFirst)
	m.Running = m.Running[:min(len(m.Running), MaxRunning)]
	m.Queues = slices.SortedFunc(maps.Values(queues), func(a, b QueueView) int { return cmp.Compare(a.Process, b.Process) })
	m.More += max(len(m.Queues)-maxQueues, 0)
	m.Queues = m.Queues[:min(len(m.Queues), maxQueues)]
	return m
}

// partial is what is seen while somebody has not answered.
func (a answers) partial() View {
	v := a.merge()
	v.Certain = false
	return v
}

// executed is an execution, of which there is one.
type executed struct {
	worker  string
	attempt task.Attempt
}

// and is what two replicas see of a pool: the same workers, and each its own
// work. How long a task takes is weighed by how many each has out.
func (p PoolView) and(other PoolView) PoolView {
	both := p
	both.Pool = other.Pool
	both.Workers, both.Slots = max(p.Workers, other.Workers), max(p.Slots, other.Slots)
	both.Waiting, both.Out, both.Backlog = p.Waiting+other.Waiting, p.Out+other.Out, p.Backlog+other.Backlog
	switch {
	case p.Took == 0:
		both.Took = other.Took
	case other.Took != 0:
		mine, theirs := task.Duration(p.Out+1), task.Duration(other.Out+1)
		both.Took = (p.Took*mine + other.Took*theirs) / (mine + theirs)
	}
	return both
}

func longestFirst(a, b RunningTask) int {
	return cmp.Or(cmp.Compare(b.Elapsed, a.Elapsed), cmp.Compare(a.Process, b.Process), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Index, b.Index))
}
