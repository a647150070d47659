package worker

import (
	"time"

	"github.com/deedrun/deed/task"
)

// executeRun executes the tasks of a run, by a goroutine that calls the handler
// for one after the other. As soon as one takes long, those after it are left to
// the other slots, and what came of those before it is reported; this slot waits
// for that one alone.
func (w *Worker) executeRun(e *execution) {
	over := make(chan struct{})
	go w.series(e, over)
	var long <-chan time.Time
	if !w.steps.stepped {
		timer := time.NewTimer(runMost)
		defer timer.Stop()
		long = timer.C
	}
	select {
	case <-over:
		return
	case <-long:
	case <-e.ctx.Done():
	}
	t, since := e.halt()
	if t == nil {
		<-over
		return
	}
	w.mu.Lock()
	w.harvest(e)
	w.mu.Unlock()
	if w.outlast(t, over) {
		return
	}
	if !t.decided.CompareAndSwap(false, true) { // it ended after all, which is being noted
		<-over
		return
	}
	parts, err := t.finish(w.abandon(t), nil)
	r := w.judge(t, parts, nil, err)
	r.Elapsed = task.Duration(w.opt.Now().Sub(since))
	w.tell(t, r)
	e.ended(r)
}

// series executes tasks until none is left, or nothing more is to begin. A handler
// may end the goroutine: then another one goes on.
func (w *Worker) series(e *execution, over chan<- struct{}) {
	finished := false
	defer func() {
		if finished {
			close(over)
			return
		}
		go w.series(e, over)
	}()
	var memory []task.Produced
	for now := e.now(); ; {
		t, stop := e.next(now)
		if t == nil {
			break
		}
		protect(func() error { return t.run(t.ctx) }, func(err error) {
			now, memory = w.finish(e, t, err, memory)
		})
		if stop != nil {
			stop()
		}
	}
	finished = true
}

// finish notes how a task of a run ended, at the time that it returns.
func (w *Worker) finish(e *execution, t *Task, err error, memory []task.Produced) (time.Time, []task.Produced) {
	if !t.decided.CompareAndSwap(false, true) { // it was abandoned
		return e.now(), memory
	}
	memory, err = t.finish(t.undamaged(w.logged(t, err)), memory)
	now := e.now()
	elapsed := now.Sub(e.since)
	if err == nil && !e.chatty {
		t.endLog()
		w.measure(t, task.Done, memory, elapsed)
		e.done(memory, elapsed)
		return now, memory
	}
	r := w.judge(t, memory, nil, err)
	r.Elapsed = task.Duration(elapsed)
	w.tell(t, r)
	e.ended(r)
	return now, nil
}

// tell stores the log of a task, and lets know how it ended.
func (w *Worker) tell(t *Task, r task.Result) {
	t.endLog()
	w.measure(t, r.Outcome, r.Parts, time.Duration(r.Elapsed))
	w.sayEnded(t, r)
}
