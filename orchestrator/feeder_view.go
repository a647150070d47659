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
