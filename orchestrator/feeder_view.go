package orchestrator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/deedrun/deed/task"
)

// views lists the pools that have workers or work.
func (f *feeder) views() []PoolView {
	pools := map[string]*PoolView{}
	pool := func(name string) *PoolView {
		if pools[name] == nil {
			pools[name] = &PoolView{Pool: name}
		}
		return pools[name]
	}
	for _, b := range f.running.workers {
		v := pool(poolName(b.Pool))
		v.Workers++
		v.Slots += b.Slots
	}
	for _, fd := range f.feeds {
		for _, r := range fd.rows {
			if r.pool == nil || r.waiting == 0 && r.out.tasks == 0 {
				continue
			}
			v := pool(r.pool.name)
			waiting := r.wanted()
			v.Waiting += waiting
			v.Out += r.out.tasks
			v.Took = task.Duration(r.pool.took)
			v.Backlog += task.Duration(waiting+r.out.tasks) * task.Duration(cmp.Or(r.took, r.guess, r.pool.took, unmeasured))
		}
	}
	all := []PoolView{}
	for _, name := range slices.Sorted(maps.Keys(pools)) {
		v := pools[name]
		if p := f.pools[name]; p != nil {
			v.Took = task.Duration(p.took)
		}
		all = append(all, *v)
	}
	return all
}

// wanted is how many of the waiting tasks another worker could have now.
func (r *row) wanted() int {
	switch r.stands {
	case isAside:
		return 0
	case isAsleep:
		if !r.rate.IsZero() {
			return 0
		}
	}
	if left := r.bucket.left(); left >= 0 {
		return min(left, r.waiting)
	}
	return r.waiting
}

// why says what the tasks of a row wait for; "" if it is only their turn.
func (r *row) why() string {
	switch {
	case r.pool == nil:
		return ""
	case r.stands == isAside:
		return r.unserved()
	case r.stands == isAsleep && r.bucket.every > 0:
		return fmt.Sprintf("it waits for its turn: at most %s", r.rate)
	case r.stands == isCramped:
		return fmt.Sprintf("it waits for room: each needs %s, and what %s offer is taken", r.needs, r.pool.workers())
	case len(r.pool.crew) == 0 && r.pool.name != "":
		return fmt.Sprintf("no worker serves %s: start one with `deed worker --pool %s`", r.pool, r.pool.name)
	}
	return ""
}

// unserved says why none of the workers that are there can execute the tasks of
// a row; "" if one can, or if none is there.
func (r *row) unserved() string {
	p := r.pool
	if len(p.crew) == 0 {
		return ""
	}
	if !p.offers(r.handler) {
		var offered []string
		for _, b := range p.crew {
			offered = append(offered, b.Handlers...)
		}
		slices.Sort(offered)
		who := "no worker"
		if p.name != "" {
			who += " of " + p.String()
		}
		return fmt.Sprintf("%s offers the handler %q%s", who, r.handler, instead(r.handler, slices.Compact(offered)))
	}
	if p.tooSmall(r.needs) {
		return fmt.Sprintf("it needs %s; the largest worker%s offers %s", r.needs, p.of(), p.largest(r.needs))
	}
	return ""
}

// isServed reports whether one of the workers that are there can execute the
// tasks of a row, or none is there.
func (r *row) isServed() bool {
	return len(r.pool.crew) == 0 || r.pool.offers(r.handler) && !r.pool.tooSmall(r.needs)
}

// tooSmall reports whether no worker offers what a task needs.
func (p *pool) tooSmall(needs task.Resources) bool {
	if needs.IsZero() {
		return false
	}
	n, _ := p.capacity(needs)
	return n == 0
}

// largest is what the worker offers that comes nearest to the needs: which has
// most of what is most lacking.
func (p *pool) largest(needs task.Resources) task.Resources {
	share := func(b task.Heartbeat) float64 {
		least := 1.0
		for _, one := range [][2]float64{
			{b.Offer.CPU, needs.CPU}, {float64(b.Offer.Memory), float64(needs.Memory)}, {float64(b.Offer.GPU), float64(needs.GPU)},
		} {
			if one[1] > 0 {
				least = min(least, one[0]/one[1])
			}
		}
		return least
	}
	best := slices.MaxFunc(p.crew, func(a, b task.Heartbeat) int {
		return cmp.Or(cmp.Compare(share(a), share(b)), cmp.Compare(b.Worker, a.Worker))
	})
	offer := best.Offer
	if needs.CPU == 0 { // only what is asked for
		offer.CPU = 0
	}
	if needs.Memory == 0 {
		offer.Memory = 0
	}
	if needs.GPU == 0 {
		offer.GPU = 0
	}
	return offer
}

// String names the pool for people.
func (p *pool) String() string {
	if p.name == "" {
		return "the workers without a pool"
	}
	return "pool " + p.name
}

func (p *pool) of() string {
	if p.name == "" {
		return ""
	}
	return " of " + p.String()
}

func (p *pool) workers() string {
	if p.name == "" {
		return "the workers"
	}
	return "the workers of " + p.String()
}
