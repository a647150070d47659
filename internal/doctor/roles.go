package doctor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// checkRoles looks at who orchestrates and who works.
func (p *place) checkRoles(ctx context.Context, r *report) {
	h, err := p.hear(ctx)
	if err != nil {
		r.add("orchestrators", Fail, fmt.Sprintf("who orchestrates cannot be heard: %v", err), "look whether this user may subscribe to deed.signal.> and publish there")
		return
	}
	p.checkShards(r, h)
	p.checkVersions(r, h)
	p.checkClocks(r, h)
	switch {
	case p.NATS != nil && p.NATS.Looks:
		r.add("pools", Warn, "who only looks may not ask what waits for workers", "look with the credentials of an orchestrator, or ask a server: `deed doctor --server URL`")
	case len(h.replicas) > 0:
		p.checkWork(ctx, r)
	}
}

func (p *place) checkShards(r *report, h heard) {
	missing, twice := h.shards()
	names := strings.Join(slices.Sorted(maps.Keys(h.replicas)), ", ")
	switch {
	case len(h.replicas) == 0:
		r.add("orchestrators", Fail, "nobody orchestrates: commands are not answered, and nothing goes on", "start it: `"+p.Role("serve")+"`")
	case missing != 0:
		r.add("orchestrators", Fail, fmt.Sprintf("nobody holds %d of %d shards (%s); there is %s", missing.Len(), queue.ShardCount, numbered(missing), names),
			"look into the logs of those replicas: who cannot read a history, or is stuck, takes nothing; another may: `"+p.Role("serve")+"`")
	case twice != 0:
		r.add("orchestrators", Warn, fmt.Sprintf("%s held by two replicas (%s): %s", amount.Of(twice.Len(), "shard"), numbered(twice), names), "look again: shards that change hands are so for a moment; if it stays so, two replicas do not hear each other: look at the network between them")
	default:
		r.ok("orchestrators", "%s: each shard is held by one", names)
	}
}

// numbered is a set of shards as people read one: 0-7,12.
func numbered(shards queue.Shards) string {
	return task.Of(slices.Collect(shards.All())...).String()
}

// checkVersions says who runs another version than this one.
func (p *place) checkVersions(r *report, h heard) {
	if len(h.replicas)+len(h.workers) == 0 {
		return
	}
	own := cmp.Or(p.Version, "(devel)")
	var others []string
	for name, a := range h.replicas {
		if v := cmp.Or(a.Version, "of an earlier version"); v != own {
			others = append(others, name+" "+v)
		}
	}
	for name, b := range h.workers {
		if v := cmp.Or(b.Version, "of an earlier version"); v != own {
			others = append(others, name+" "+v)
		}
	}
	if len(others) == 0 {
		r.ok("versions", "%s, as this one: %s", own, amount.Of(len(h.replicas)+len(h.workers), "role"))
		return
	}
	slices.Sort(others)
	r.add("versions", Warn, fmt.Sprintf("not %s, as this one: %s", own, list(others)), "start those again with the same binary, one after the other; a worker ends in good order by `"+p.Ask("worker", "drain", "NAME")+"`")
}

// checkClocks compares the clocks of roles with this one, or, if that is the odd
// one, says so of this one.
func (p *place) checkClocks(r *report, h heard) {
	by := map[string]time.Duration{}
	for name, a := range h.replicas {
		by[name] = a.ahead
	}
	for name, b := range h.workers {
		by[name] = b.ahead
	}
	if len(by) == 0 {
		return
	}
	worst := slices.MaxFunc(slices.Sorted(maps.Keys(by)), func(a, b string) int { return cmp.Compare(by[a].Abs(), by[b].Abs()) })
	whose := worst
	if n := len(by); n > 1 && by[worst].Abs() <= skewed {
		whose = amount.Of(n, "role")
	}
	clockFinding(r, "clock-roles", whose, by[worst])
}

// checkWork says which work nobody does.
func (p *place) checkWork(ctx context.Context, r *report) {
	within, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	view, err := p.look(within, "")
	if err != nil {
		r.add("pools", Warn, fmt.Sprintf("those who orchestrate do not answer: %v", err), "look again; if it stays so, look into their logs")
		return
	}
	idle, anyPool := false, slices.ContainsFunc(view.Workers, func(w orchestrator.WorkerView) bool { return w.AnyPool })
	for _, pool := range view.Pools {
		tasks := pool.Waiting + pool.Out
		if pool.Workers > 0 || anyPool || tasks == 0 {
			continue
		}
		idle = true
		words, found := []string{"worker"}, "no worker takes tasks that name no pool"
		if pool.Pool != "" {
			words, found = append(words, "--pool", pool.Pool), "pool "+pool.Pool+" has no worker"
		}
		waits := "1 task waits"
		if tasks > 1 {
			waits = amount.Of(tasks, "task") + " wait"
		}
		r.add("pools", Fail, found+", and "+waits+" for one", "start one: `"+p.Role(words...)+"`")
	}
	slots := 0
	for _, w := range view.Workers {
		slots += w.Slots
	}
	switch {
	case idle:
	case len(view.Workers) == 0:
		r.add("pools", Warn, "no worker is there; nothing waits for one", "start one: `"+p.Role("worker")+"`")
	default:
		r.ok("pools", "%s with %s; no pool waits for one", amount.Of(len(view.Workers), "worker"), amount.Of(slots, "slot"))
	}
	p.checkServed(ctx, r, view)
}

// mostAsked is how many processes are asked about one by one.
const mostAsked = 20

// checkServed says which waiting tasks none of the workers that are there can
// execute: they do not offer the handler, or not what it needs.
func (p *place) checkServed(ctx context.Context, r *report, view orchestrator.View) {
	asked := 0
	var why []string
	for _, q := range view.Queues {
		if q.Pending == 0 {
			continue
		}
		if asked++; asked > mostAsked {
			break
		}
		within, cancel := context.WithTimeout(ctx, 2*time.Second)
		one, err := p.look(within, q.Process)
		cancel()
		if err != nil {
			continue // it changed hands, or has ended
		}
		for _, of := range one.Queues {
			for _, waits := range of.Unsent {
				if waits.Unserved {
					why = append(why, fmt.Sprintf("%s %s: %s", of.Process, waits.Address, waits.Why))
				}
			}
		}
	}
	switch {
	case len(why) > 0:
		id, _, _ := strings.Cut(why[0], " ")
		r.add("handlers", Fail, "tasks wait that no worker can execute: "+list(why), "start a worker that offers it, or look why: `"+p.Ask("why", id)+"`")
	case asked > 0:
		r.ok("handlers", "for what waits of %s there are workers that can execute it", processes(min(asked, mostAsked)))
	}
}

// list is some of many.
func list(all []string) string {
	const most = 5
	if len(all) > most {
		return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", len(all)-most)
	}
	return strings.Join(all, ", ")
}

func processes(n int) string {
	if n == 1 {
		return "1 process"
	}
	return fmt.Sprintf("%d processes", n)
}
