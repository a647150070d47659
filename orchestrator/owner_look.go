package orchestrator

import (
	"time"

	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/orchestrator/process"
)

// sights is what the owner remembers between two looks at what there is to see.
type sights struct {
	looked time.Time
	last   map[string]sight // by process that runs
}

// sight is a process as it was seen last.
type sight struct {
	version uint64
	since   time.Time // nothing has happened to it
}

// lookEvery is how often the owner leaves what it sees for whoever scrapes. A
// look goes once over the open processes and what they have to send.
const lookEvery = time.Second

// look leaves what is to be seen now for whoever scrapes.
func (o *Owner) look(now time.Time) {
	if o.Metrics == nil || now.Sub(o.sights.looked) < lookEvery {
		return
	}
	o.sights.looked = now
	seen := metrics.Seen{Shards: o.shards.Len(), Replicas: 1 + len(o.members.names())}
	running, retries := o.running.byProcess(), o.timers.retries()
	last := map[string]sight{}
	for id, s := range o.processes {
		switch {
		case s.Ended() || !o.shards.Holds(id):
			continue
		case s.Status == process.Paused:
			seen.Paused++
			continue
		}
		seen.Running++
		before, known := o.sights.last[id]
		_, planned := retries[id]
		if !known || before.version != s.Version || planned || len(running[id]) > 0 {
			before = sight{version: s.Version, since: now}
		}
		last[id] = before
		seen.Quiet = max(seen.Quiet, now.Sub(before.since))
	}
	o.sights.last = last
	for _, p := range o.feeder.pictures(o.shards.Holds) {
		seen.Pools = append(seen.Pools, *p)
	}
	o.Metrics.See(&seen)
}

// pictures is every pool that has workers or work, for whoever scrapes.
func (f *feeder) pictures(mine func(id string) bool) map[string]*metrics.Pool {
	pools := map[string]*metrics.Pool{}
	pool := func(name string) *metrics.Pool {
		if pools[name] == nil {
			pools[name] = &metrics.Pool{Name: name}
		}
		return pools[name]
	}
	for _, v := range f.views() {
		pools[v.Pool] = &metrics.Pool{Name: v.Pool, Workers: v.Workers, Slots: v.Slots, Backlog: time.Duration(v.Backlog)}
	}
	for _, b := range f.running.workers {
		if b.Draining {
			pool(poolName(b.Pool)).Draining++
		}
	}
	for _, fd := range f.feeds {
		for _, r := range fd.rows {
			if r.pool == nil {
				continue
			}
			p := pool(r.pool.name)
			p.Queued += r.out.tasks
			if r.stands == isAside {
				p.Unserved += r.waiting
			} else {
				p.Waiting += r.waiting
			}
		}
	}
	for _, h := range f.running.held() {
		r := f.find(h.Process, h.Address)
		if r == nil || r.pool == nil || !mine(h.Process) {
			continue
		}
		p := pool(r.pool.name)
		p.Running += len(h.Running)
		p.Queued = max(p.Queued-len(h.Running), 0)
	}
	return pools
}
