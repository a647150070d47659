package worker

import (
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

const (
	gatherTime    = 2 * time.Millisecond // how long a result waits for company,
	listTime      = 5 * gatherTime       // and how long if what it wrote is stored: a blob is dear
	runTime       = time.Millisecond     // how long a run of tasks probably takes,
	runMost       = 4 * time.Millisecond // and how long before what has not begun of it is put back
	runBytes      = bundleBytes / 2      // of results, which end a run
	bundleResults = 512
	bundleTasks   = unreportedResults / 2 // so that the others are executed meanwhile
	bundleBytes   = 256 << 10
	takeBundles   = 64 // in one Send
	resultBytes   = 128

	// Beyond this no task is begun: reporting is stuck, and results are in memory. A
	// result counts as often as tasks were executed for it. What had begun by then
	// comes on top: at most as much again, beside one task a slot.
	unreportedResults = 4096
	unreportedBytes   = 16 << 20
)

// result is how tasks of a header ended, before it is merged with others.
type result struct {
	task.Result

	shares   []share // of the messages that the tasks are of
	executed int     // how many of them were; 0: none
	bytes    int
	trace    string // that it belongs to; "": none
}

// last is the task with the highest index.
func (r *result) last() int { return r.Tasks[len(r.Tasks)-1].End() - 1 }

// gone reports whether none of it counts any more.
func (r *result) gone() bool {
	return !slices.ContainsFunc(r.shares, func(s share) bool { return !s.holding.gone })
}

// trim takes out what does not count any more.
func (r *result) trim() {
	whole := len(r.shares)
	r.shares = slices.DeleteFunc(r.shares, func(s share) bool { return s.holding.gone })
	if len(r.shares) == whole {
		return
	}
	var left taskSet
	for _, s := range r.shares {
		left.add(s.Range)
	}
	r.Tasks = left.ranges
	r.Parts = slices.DeleteFunc(r.Parts, func(p task.Produced) bool { return !r.Tasks.Contains(p.Index) })
}

// weighs is as how many results it counts.
func (r *result) weighs() int { return max(1, r.executed) }

// bundle is results of one process that travel in one message.
type bundle struct {
	process string
	results []result
	weighs  int
	bytes   int
	listed  int // of these, what is stored if it is too much to travel inline
	since   time.Time
}

// gathering is the results that wait to be reported, a bundle a process.
// Worker.mu guards it.
type gathering struct {
	bundles []*bundle          // oldest first
	filling map[string]*bundle // of each process, the bundle that takes more
	results int                // not reported, those being sent included; see result.weighs
	bytes   int
}

func newGathering() *gathering { return &gathering{filling: map[string]*bundle{}} }

// full reports whether so much waits that no task should be begun.
func (g *gathering) full() bool {
	return g.results >= unreportedResults || g.bytes >= unreportedBytes
}

func (g *gathering) add(r result, now time.Time) {
	process := r.shares[0].work.Process
	b := g.filling[process]
	if b == nil {
		b = &bundle{process: process, since: now}
		g.filling[process] = b
		g.bundles = append(g.bundles, b)
	}
	b.results = append(b.results, r)
	b.weighs += r.weighs()
	if len(r.Parts) > 0 && r.shares[0].lists {
		b.listed += r.bytes
	}
	b.bytes += r.bytes
	g.results += r.weighs()
	g.bytes += r.bytes
	if len(b.results) >= bundleResults || b.weighs >= bundleTasks || b.bytes >= bundleBytes {
		delete(g.filling, process)
	}
}

// ready takes the bundles to be sent now: those that are complete or waited
// long enough, or with flush all. Otherwise due is when the next one is.
func (g *gathering) ready(now time.Time, flush bool) (taken []*bundle, due time.Time) {
	g.bundles = slices.DeleteFunc(g.bundles, func(b *bundle) bool {
		full := g.filling[b.process] != b
		if len(taken) < takeBundles && (flush || full || now.Sub(b.since) >= b.patience()) {
			taken = append(taken, b)
			if !full {
				delete(g.filling, b.process)
			}
			return true
		}
		if at := b.since.Add(b.patience()); due.IsZero() || at.Before(due) {
			due = at
		}
		return false
	})
	return taken, due
}

// patience is how long the bundle waits for more results.
func (b *bundle) patience() time.Duration {
	if b.listed > task.MaxInline {
		return listTime
	}
	return gatherTime
}

// reported lets go of a bundle that was taken.
func (g *gathering) reported(b *bundle) {
	g.results -= b.weighs
	g.bytes -= b.bytes
}

// gather adds a result to what is to be reported.
func (w *Worker) gather(r result) {
	w.results.add(r, w.opt.Now())
	select {
	case w.gathered <- struct{}{}:
	default:
	}
}
