package worker

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/deedrun/deed/task"
)

// execution is what occupies a slot: a task, or a run of short ones that one
// goroutine executes, each after the one before. The tasks of a run have a header
// in common, and come from one message or from several.
//
// A run never keeps a task from being executed elsewhere for longer than a
// moment: what has not begun of it is put back as soon as a task takes long, or
// its context ends. It is then no more than that one task.
type execution struct {
	*setting

	number uint64 // of the executions of the worker, in the order in which they began
	began  time.Time
	tasks  int    // that it began with
	trace  string // that it belongs to; "": none
	span   string // of that trace
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu      sync.Mutex // never held while Worker.mu is taken
	todo    []piece    // not begun
	halted  bool       // nothing more begins
	current *Task      // nil: none
	holder  *holding   // of that
	since   time.Time  // when it began
	ledger  ledger
	fresh   []Task // not used yet: made a few at a time
}

// piece is tasks of a message.
type piece struct {
	*holding
	stretch
}

// freshTasks is how many tasks are made at a time.
const freshTasks = 16

// next begins the next task; nil: there is none, or nothing more is to begin. How
// the one before ended is noted, unless it was abandoned and that is yet to come.
func (e *execution) next(now time.Time) (t *Task, stop context.CancelFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.halted || len(e.todo) == 0 || e.ledger.bytes >= runBytes {
		e.halted = true
		return nil, nil
	}
	p := &e.todo[0]
	if len(e.fresh) == 0 {
		e.fresh = make([]Task, min(e.tasks, freshTasks))
	}
	t, e.fresh = &e.fresh[0], e.fresh[1:]
	t.setting, t.ctx, t.index, t.ordinal = e.setting, e.ctx, p.First, p.ordinal
	if limit := time.Duration(e.work.Timeout); limit > 0 {
		t.ctx, stop = context.WithTimeoutCause(e.ctx, limit, &timeoutError{limit})
	}
	e.current, e.holder, e.since = t, p.holding, now
	if p.skip(1); p.Count == 0 {
		e.todo = e.todo[1:]
	}
	return t, stop
}

// done notes that the current task is done, and what it wrote.
func (e *execution) done(parts []task.Produced, elapsed time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ledger.done(e.holder, e.current.index, parts, elapsed)
	e.current = nil
}

// ended notes how the current task ended.
func (e *execution) ended(r task.Result) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ledger.ended(e.holder, r, e.span)
	e.current = nil
}

// halt lets nothing more begin, and says what is executed now, and since when; nil:
// nothing is.
func (e *execution) halt() (t *Task, since time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.halted = true
	return e.current, e.since
}

// stop halts the execution and ends its context.
func (e *execution) stop(cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.halted = true
	e.cancel(cause)
}

// forget stops the execution if its task is one of a message that does not count
// any more. It begins no other of it: dropped are so many.
func (e *execution) forget(h *holding, cause error) (dropped int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current != nil && e.holder == h {
		e.halted = true
		e.cancel(cause)
	}
	e.todo = slices.DeleteFunc(e.todo, func(p piece) bool {
		if p.holding == h {
			dropped += p.Count
		}
		return p.holding == h
	})
	return dropped
}

// running is the task that is executed, as a heartbeat tells it; ok is false
// between two tasks.
func (e *execution) running(now time.Time) (h *holding, r task.Running, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return nil, r, false
	}
	r = task.Running{Index: e.current.index, Elapsed: task.Duration(now.Sub(e.since))}
	if at := e.current.at.Load(); at != nil {
		r.Progress, r.Message = at.fraction, at.message
	}
	return e.holder, r, true
}

// take is what came of it since the last time and, once it is halted, what has
// not begun of it and never will.
func (e *execution) take() (l ledger, undone []piece) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, e.ledger = e.ledger, ledger{}
	if e.halted {
		undone, e.todo = e.todo, nil
	}
	return l, undone
}
