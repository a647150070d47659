package worker

import (
	"time"

	"github.com/deedrun/deed/task"
)

// ledger is what came of the tasks of an execution. Those that are done are one
// result, as long as no task comes twice, and all others one each.
type ledger struct {
	results []result
	filling int // which of the results takes more that are done, plus 1; 0: none
	tasks   int // that ended
	took    time.Duration
	bytes   int
}

// share is tasks of one message in a result.
type share struct {
	*holding
	task.Range
}

// done adds a task that is done. Parts are copied.
func (l *ledger) done(h *holding, index int, parts []task.Produced, elapsed time.Duration) {
	if l.filling == 0 || l.results[l.filling-1].last() >= index {
		l.results = append(l.results, result{bytes: resultBytes, Result: task.Result{
			Address: h.work.Address, Generation: h.work.Generation, Attempt: h.work.Attempt, Outcome: task.Done,
		}})
		l.bytes += resultBytes
		l.filling = len(l.results)
	}
	r := &l.results[l.filling-1]
	if n := len(r.Tasks); n > 0 && r.Tasks[n-1].End() == index {
		r.Tasks[n-1].Count++
	} else {
		r.Tasks = append(r.Tasks, task.Range{First: index, Count: 1})
	}
	if n := len(r.shares); n > 0 && r.shares[n-1].holding == h && r.shares[n-1].End() == index {
		r.shares[n-1].Count++
	} else {
		r.shares = append(r.shares, share{h, task.Range{First: index, Count: 1}})
	}
	bytes := 0
	for _, p := range parts {
		bytes += producedBytes(p)
	}
	r.Parts = append(r.Parts, parts...)
	r.Elapsed += task.Duration(elapsed)
	r.executed++
	r.bytes += bytes
	l.count(elapsed, bytes)
}

// ended adds a task of which more is to be said.
func (l *ledger) ended(h *holding, r task.Result, trace string) {
	made := result{Result: r, shares: []share{{h, r.Tasks[0]}}, executed: 1, trace: trace}
	made.bytes = weight(r)
	l.results = append(l.results, made)
	l.count(time.Duration(r.Elapsed), made.bytes)
}

func (l *ledger) count(elapsed time.Duration, bytes int) {
	l.tasks++
	l.took += elapsed
	l.bytes += bytes
}
