package metrics

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

// Seen is what an orchestrator saw when it last looked.
type Seen struct {
	Shards   int
	Replicas int // this one included
	Running  int // processes of its shards
	Paused   int
	Quiet    time.Duration // the longest for which nothing has happened to a running process
	Pools    []Pool
}

// Pool is a pool as an orchestrator sees it: its own tasks, and all workers.
type Pool struct {
	Name string // "": the default

	Waiting, Unserved, Queued, Running int // tasks

	Backlog time.Duration

	Workers, Draining, Slots int
}

// seen holds the last one. The orchestrator leaves it there about once a second,
// so that a scrape never waits for it, nor it for a scrape.
type seen struct {
	last    atomic.Pointer[Seen]
	stepped atomic.Int64 // in Unix nanoseconds; 0: never
}

// See leaves what was seen for whoever scrapes; nil: there is nothing any more.
func (m *Orchestrator) See(now *Seen) {
	if m == nil {
		return
	}
	m.seen.last.Store(now)
	if now == nil {
		m.seen.stepped.Store(0)
	}
}

func (s *seen) register(r *Registry) {
	r.read(s.tell, "deed_shards_held", "deed_replicas", "deed_orchestrator_last_step_timestamp_seconds", "deed_processes", "deed_processes_quiet_seconds",
		"deed_queue_tasks", "deed_pool_backlog_seconds", "deed_workers", "deed_workers_draining", "deed_pool_slots")
}

// mostPools bounds the label: whoever may submit may make up names of pools. The
// rest is told as one, which has a name that no pool can have.
const (
	mostPools  = 100
	otherPools = "(others)"
)

func (s *seen) tell(tell func(name string, value float64, labels ...string)) {
	if at := s.stepped.Load(); at != 0 {
		tell("deed_orchestrator_last_step_timestamp_seconds", float64(at)/1e9)
	}
	now := s.last.Load()
	if now == nil {
		return
	}
	tell("deed_shards_held", float64(now.Shards))
	tell("deed_replicas", float64(now.Replicas))
	tell("deed_processes", float64(now.Running), "running")
	tell("deed_processes", float64(now.Paused), "paused")
	tell("deed_processes_quiet_seconds", now.Quiet.Seconds())
	for _, p := range bounded(now.Pools) {
		tell("deed_queue_tasks", float64(p.Waiting), p.Name, "waiting")
		tell("deed_queue_tasks", float64(p.Unserved), p.Name, "unserved")
		tell("deed_queue_tasks", float64(p.Queued), p.Name, "queued")
		tell("deed_queue_tasks", float64(p.Running), p.Name, "running")
		tell("deed_pool_backlog_seconds", p.Backlog.Seconds(), p.Name)
		tell("deed_workers", float64(p.Workers), p.Name)
		tell("deed_workers_draining", float64(p.Draining), p.Name)
		tell("deed_pool_slots", float64(p.Slots), p.Name)
	}
}

// bounded names the default pool, and puts together what is too many: those that
// have workers stay apart longest.
func bounded(pools []Pool) []Pool {
	pools = slices.Clone(pools)
	slices.SortFunc(pools, func(a, b Pool) int {
		return cmp.Or(cmp.Compare(b.Workers, a.Workers), cmp.Compare(a.Name, b.Name))
	})
	for i := range pools {
		pools[i].Name = poolLabel(pools[i].Name)
	}
	if len(pools) <= mostPools {
		return pools
	}
	rest := Pool{Name: otherPools}
	for _, p := range pools[mostPools:] {
		rest.Waiting, rest.Unserved, rest.Queued, rest.Running = rest.Waiting+p.Waiting, rest.Unserved+p.Unserved, rest.Queued+p.Queued, rest.Running+p.Running
		rest.Workers, rest.Draining, rest.Slots = rest.Workers+p.Workers, rest.Draining+p.Draining, rest.Slots+p.Slots
		rest.Backlog += p.Backlog
	}
	return append(pools[:mostPools], rest)
}

func poolLabel(name string) string { return cmp.Or(name, "default") }
