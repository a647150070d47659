package orchestrator

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// Before tasks of a step with a cache go to the feeder, the results of equal
// tasks are looked for that ran earlier: a hit becomes a command, and costs no
// worker; a miss goes on to the feeder. That is done aside, so that a store far
// away holds up nobody. Where it cannot be done here, since the list of what a
// task reads is in a manifest, or since it is not known which version of a handler
// would execute it, the worker does it.
//
// Nothing of this is stored. What is lost with the owner is asked for again by
// whoever resumes the process, as is everything that it had not sent.

const (
	lookSlice  = 256 // tasks that are looked for together, and reused by one command
	looksAside = 4   // slices at a time

	searchPoll = time.Millisecond // while slices are under way
)

// searches are the tasks that are being looked for.
type searches struct {
	waiting []search
	begun   int // slices under way

	aside sync.WaitGroup
	mu    sync.Mutex
	over  []finding // of slices that have been looked for; guarded by mu
}

// search is tasks to be looked for, as their process stood when they were scheduled.
type search struct {
	process.Enqueue
	state   process.State
	version string // of the handler
	trace   string
}

// finding is what came of a slice.
type finding struct {
	search
	hits   *process.ReuseTasks // nil: there are none
	misses task.Ranges
	unsure task.Ranges // that a worker has to look for
}

// lookFor reports whether tasks are looked for before they are sent.
func (o *Owner) lookFor(s *process.State, e process.Enqueue, trace string) bool {
	step, isStep := s.Step(e.Address)
	if o.Cache == nil || !isStep || step.Cache != definition.CacheUse || step.Process != nil || len(e.Tasks) == 0 {
		return false
	}
	version, known := o.versionOf(step)
	if !known {
		return false
	}
	one := e
	one.Tasks = task.Span(e.Tasks[0].First, 1)
	w, err := workOf(s, one)
	if err != nil {
		return false // the feeder says what is wrong with it
	}
	if _, known := w.KnownInputs(0); !known {
		return false
	}
	e.Tasks = slices.Clone(e.Tasks)
	o.searches.waiting = append(o.searches.waiting, search{Enqueue: e, state: *s, version: version, trace: trace})
	return true
}

// versionOf is the version of the handler that would execute the tasks of a step:
// that of a program is "".
func (o *Owner) versionOf(step definition.Step) (version string, known bool) {
	if version, known := task.HandlerVersion(step.Run.Handler); known {
		return version, true
	}
	return o.running.versionOf(poolName(step.Pool), step.Run.Handler)
}

// versionOf is what all the workers of a pool take for the handler of a name; false
// if they differ, or none offers it.
func (r *running) versionOf(pool, handler string) (version string, known bool) {
	own, anyPool := r.crew(pool)
	if len(own) == 0 {
		own = anyPool
	}
	for _, b := range own {
		if !slices.Contains(b.Handlers, handler) {
			continue
		}
		v, has := b.Versions[handler]
		if !has && offers(slices.DeleteFunc(slices.Clone(b.Handlers), func(h string) bool { return h == handler }), handler) {
			return "", false // it says which versions it has, and not which one it takes
		}
		if known && v != version {
			return "", false
		}
		version, known = v, true
	}
	return version, known
}

// workOf is the message for tasks, and among whom their results are shared: the
// processes of one definition, by its name and whatever its version. A token is for
// those, so who sees one of them sees them all.
func workOf(s *process.State, e process.Enqueue) (task.Work, error) {
	w, err := process.Message(*s, e, e.Tasks)
	if err == nil && w.Cache {
		w.Scope = scopeOf(s)
	}
	return w, err
}

func scopeOf(s *process.State) string {
	scope, _, _ := strings.Cut(s.Original.Name, "/") // a child is named below what it is a part of
	return scope
}

// WorkAgain is the message for a task of a step that has started, as it was when
// it was looked for among those that ran earlier.
func WorkAgain(s process.State, address string, index int) (task.Work, error) {
	w, err := process.MessageAgain(s, address, index)
	if err == nil {
		w.Scope = scopeOf(&s)
	}
	return w, err
}

// reuse begins to look for what waits, and takes in what was found. Who steps an
// owner gets all of it within the step.
func (o *Owner) reuse(ctx context.Context, now time.Time) error {
	for {
		o.searches.begin(ctx, o)
		findings := o.searches.results()
		if len(findings) == 0 {
			return nil
		}
		if err := o.takeIn(ctx, now, findings); err != nil {
			o.searches.giveBack(findings) // what was stored of them by then gives no event again
			return err
		}
	}
}

// takeIn has hits decided on, and feeds what has to be executed.
func (o *Owner) takeIn(ctx context.Context, now time.Time, findings []finding) error {
	var hits batch
	for _, f := range findings {
		if f.hits != nil && o.shards.Holds(f.state.ID) {
			f.hits.At = now
			hits.add(f.state.ID, &request{command: *f.hits})
		}
	}
	if err := o.passAll(ctx, hits); err != nil {
		return err
	}
	refused := map[string]task.Ranges{}
	for id, requests := range hits.todo {
		for _, r := range requests {
			if r.answer.Error != "" {
				c := r.command.(process.ReuseTasks)
				o.Log.Warn("orchestrator: results of earlier tasks are not taken; the tasks are executed",
					o.inLog(id, "address", c.Address, "tasks", c.Tasks.String(), "reason", r.answer.Error)...)
				refused[id+" "+c.Address] = refused[id+" "+c.Address].Union(c.Tasks)
			}
		}
	}
	for _, f := range findings {
		if !o.shards.Holds(f.state.ID) || o.processes[f.state.ID] == nil { // it is resumed by whoever loads it
			continue
		}
		hit := 0
		if f.hits != nil {
			taken := f.hits.Tasks.Minus(refused[f.state.ID+" "+f.Address])
			f.misses, hit = f.misses.Union(f.hits.Tasks.Minus(taken)), taken.Len()
		}
		o.Metrics.LookedUp(true, hit)
		o.Metrics.LookedUp(false, f.misses.Len())
		e := f.Enqueue
		if e.Tasks = f.misses; len(e.Tasks) > 0 {
			o.feeder.add(f.state.ID, queued{Enqueue: e, trace: f.trace, looked: true})
		}
		if e.Tasks = f.unsure; len(e.Tasks) > 0 {
			o.feeder.add(f.state.ID, queued{Enqueue: e, trace: f.trace})
		}
	}
	return nil
}

// results takes out what slices that are over came to.
func (l *searches) results() []finding {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.over
	l.over = nil
	return all
}

func (l *searches) giveBack(findings []finding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = append(findings, l.over...)
}

// forget drops what waits of the processes of shards.
func (l *searches) forget(shards queue.Shards) {
	l.waiting = slices.DeleteFunc(l.waiting, func(w search) bool { return shards.Holds(w.state.ID) })
}
