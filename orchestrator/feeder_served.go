package orchestrator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// isServed reports whether a worker is there that can execute the tasks of a
// step, as far as is known.
func (f *feeder) isServed(id, address string) bool {
	r := f.find(id, address)
	return r != nil && r.pool != nil && len(r.pool.crew) > 0 && r.isServed()
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

// offers reports whether a handler is among those that a worker lists, or is one
// that every worker has and none lists.
func offers(offered []string, handler string) bool {
	if _, everywhere := definition.Standard(handler); everywhere {
		return true
	}
	return slices.ContainsFunc(offered, func(o string) bool { return o == handler || strings.HasPrefix(o, handler+"@") })
}
