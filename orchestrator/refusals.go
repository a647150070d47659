package orchestrator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

// refusals is why workers sent tasks back unexecuted of late, the last word
// about each step. A worker that lacks the handler shows that in its heartbeats;
// what programs it allows, only its refusals say. It is memory, and short.
type refusals map[refused]refusal

type refused struct{ process, address string }

type refusal struct {
	at     time.Time
	worker string
	why    string
}

// refusalsKept is how long one counts: tasks that nobody takes are offered
// again more often than that.
const (
	refusalsKept = 5 * time.Second
	refusalsMost = 1000
)

// note keeps what a worker said.
func (rs refusals) note(now time.Time, id, worker string, r task.Result) {
	if r.Failure == nil || r.Failure.Error == "" {
		return
	}
	key := refused{id, r.Address}
	if _, known := rs[key]; !known && len(rs) >= refusalsMost {
		maps.DeleteFunc(rs, func(_ refused, old refusal) bool { return now.Sub(old.at) > refusalsKept })
		if len(rs) >= refusalsMost {
			return
		}
	}
	rs[key] = refusal{at: now, worker: worker, why: beginning(r.Failure.Error, task.MaxError)}
}

// of lists what is known of a process.
func (rs refusals) of(now time.Time, id string) []RefusalView {
	var all []RefusalView
	for key, r := range rs {
		if ago := now.Sub(r.at); key.process == id && ago <= refusalsKept {
			all = append(all, RefusalView{Address: key.address, Worker: r.worker, Why: r.why, Ago: task.Duration(ago)})
		}
	}
	slices.SortFunc(all, func(a, b RefusalView) int { return cmp.Compare(a.Address, b.Address) })
	return all
}

// RefusalView is a worker that lately sent back tasks of a step, because they
// are not for it.
type RefusalView struct {
	Address string        `json:"address"`
	Worker  string        `json:"worker"`
	Why     string        `json:"why"`
	Ago     task.Duration `json:"ago"`
}

// Refusal says which worker lately sent back tasks of a step, and why.
func (v View) Refusal(id, address string) (text string, refused bool) {
	for _, r := range v.queue(id).Refused {
		if r.Address == address {
			return fmt.Sprintf("worker %s sent back tasks of %s, which are offered again until a worker takes them: %s", r.Worker, address, r.Why), true
		}
	}
	return "", false
}
