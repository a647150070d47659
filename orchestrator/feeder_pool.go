package orchestrator

import (
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// pool is the tasks that name it, how they reach workers, and which. Their lane
// is the pool's own if a worker serves it; else, if there are workers that take
// the tasks of any pool that has none, the default lane, from which these take;
// else the pool's own, where whoever starts workers sees them.
type pool struct {
	name string // "": the workers without one
	lane *lane
	took time.Duration // a task takes, as measured of late

	tookBy map[string]time.Duration // by handler: a guess for steps of which no task has ended

	crew     []task.Heartbeat // the workers that may execute them
	offered  map[string]bool  // by handler
	fits     map[task.Resources]int
	fraction float64 // of the crew that is this feeder's
}

// poolName is a pool as the feeder calls it.
func poolName(name string) string {
	if name == queue.DefaultLane {
		return ""
	}
	return name
}

func laneName(pool string) string {
	if pool == "" {
		return queue.DefaultLane
	}
	return pool
}

func (f *feeder) pool(name string) *pool {
	name = poolName(name)
	if f.pools[name] == nil {
		p := &pool{name: name}
		f.pools[name] = p
		f.route(p)
	}
	return f.pools[name]
}

// route finds a pool's crew and lane.
func (f *feeder) route(p *pool) {
	own, anyPool := f.running.crew(p.name)
	p.crew, p.offered, p.fits = own, map[string]bool{}, map[task.Resources]int{}
	lane := laneName(p.name)
	if len(own) == 0 && len(anyPool) > 0 {
		p.crew, lane = anyPool, queue.DefaultLane
	}
	p.lane = f.lane(lane)
	f.equip(p.lane)
	p.fraction = 1
	if all := f.running.slots(p.lane.name); all > 0 {
		p.fraction = float64(p.lane.slots) / float64(all)
	}
}

// equip says what the workers of a lane can do. It is divided among the feeders:
// each has an equal part for sure, and what the others do not use.
func (f *feeder) equip(l *lane) {
	all := f.running.slots(l.name)
	l.slots, l.most, l.needs.offer, l.needs.loosened = all, f.most, f.running.offer(l.name), true
	if f.replicas <= 1 || all == 0 {
		return
	}
	equal := (all + f.replicas - 1) / f.replicas
	l.slots = max(equal, all-f.running.foreign(l.name, func(id string) bool { return f.feeds[id] != nil }))
	l.most = max(f.most*l.slots/all, 1)
	part := float64(l.slots) / float64(all)
	o := l.needs.offer
	l.needs.offer = task.Resources{CPU: o.CPU * part, Memory: int64(float64(o.Memory) * part), GPU: int(float64(o.GPU)*part + 0.5)}
}

// regroup looks at the workers again if they have changed, or if others feed
// them too.
func (f *feeder) regroup(now time.Time) {
	if f.seen == f.running.version && (f.replicas <= 1 || now.Sub(f.looked) < time.Second) {
		return
	}
	changed := f.seen != f.running.version
	f.seen, f.looked = f.running.version, now
	for _, l := range f.lanes {
		f.equip(l)
	}
	stranded := map[*pool]bool{} // of those that have another lane now: nobody takes their tasks from the old one
	for _, p := range f.pools {
		before := p.lane
		f.route(p)
		if p.lane != before {
			stranded[p] = !f.running.serves(before.name, p.name)
		}
	}
	if len(stranded) > 0 {
		f.reroute(stranded)
	}
	if !changed {
		return
	}
	aside := f.aside
	f.aside = nil
	for _, r := range aside {
		if r.stands == isAside {
			r.stands = nowhereYet
			f.freshen(r)
		}
	}
}

// reroute moves what waits for pools to their new lanes, in one pass for all of
// them. What is out in an old lane is left to the workers there; where it is
// stranded, it is taken off the queue and sent again.
func (f *feeder) reroute(pools map[*pool]bool) {
	for _, id := range slices.Sorted(maps.Keys(f.feeds)) {
		fd, lost := f.feeds[id], false
		for _, address := range slices.Sorted(maps.Keys(fd.rows)) {
			r := fd.rows[address]
			stranded, moved := pools[r.pool]
			if !moved || r.account == nil {
				continue
			}
			lost = lost || stranded && r.out.tasks > 0
			if r.stands == isReady || r.stands == isCramped {
				r.leave()
				f.freshen(r)
			}
			r.settleIn(f.account(fd, r.pool.lane))
		}
		if lost {
			f.recover(id)
		}
	}
}

// recover takes a process off the queue and sends what is out anew, but for what
// workers hold. The roll has to be called.
func (f *feeder) recover(id string) {
	for _, e := range f.out(id, time.Time{}) {
		f.row(id, e.Address).pushFront(queued{Enqueue: e})
	}
	f.sweep(id)
	f.roll = true
}

// offers reports whether some worker of the pool offers a handler; "" is a program.
func (p *pool) offers(handler string) bool {
	if handler == "" {
		return true
	}
	is, known := p.offered[handler]
	if !known {
		is = slices.ContainsFunc(p.crew, func(b task.Heartbeat) bool { return offers(b.Handlers, handler) })
		p.offered[handler] = is
	}
	return is
}

// capacity is how many tasks of such needs the workers of the pool can hold
// together; served is false if there are none.
func (p *pool) capacity(needs task.Resources) (n int, served bool) {
	if len(p.crew) == 0 {
		return 0, false
	}
	n, known := p.fits[needs]
	if !known {
		for _, b := range p.crew {
			n += min(holds(b.Offer, needs), max(b.Slots, 1))
		}
		if n > 0 {
			n = max(int(float64(n)*p.fraction), 1)
		}
		p.fits[needs] = n
	}
	return n, true
}

// place puts a row where it belongs by what its process is now.
func (f *feeder) place(now time.Time, s *process.State, r *row) {
	step, isStep := s.Step(r.address)
	p := f.pool(s.Pool(r.address))
	r.settleIn(nil)
	r.pool, r.handler, r.needs, r.rate = p, step.Run.Handler, step.Needs, step.Rate
	r.guess, r.ranges = min(p.tookBy[r.handler], unmeasured), !f.alone && isStep && step.Process == nil && step.Needs.IsZero()
	a := f.account(r.feed, p.lane)
	a.weight = max(s.Definition.Weight, 1)
	f.adopt(a, s)
	r.settleIn(a)
	r.bucket.fill(r.rate, now)
	switch {
	case r.waiting == 0:
		r.stands = nowhereYet
	case !r.isServed():
		f.setAside(r)
	case r.bucket.left() == 0:
		f.sleepers.add(r, r.bucket.next())
	default:
		a.join(r)
	}
}

// setAside has a row wait for other workers than are there.
func (f *feeder) setAside(r *row) {
	r.stands = isAside
	f.aside = append(f.aside, r)
}

// measure notes how long tasks of a handler took; "" is any program, of which
// that says little of another.
func (p *pool) measure(handler string, each time.Duration, n int) {
	p.took = averaged(p.took, each, n)
	if handler == "" {
		return
	}
	if p.tookBy == nil {
		p.tookBy = map[string]time.Duration{}
	}
	p.tookBy[handler] = averaged(p.tookBy[handler], each, n)
}
