package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// perform executes what next began.
func (w *Worker) perform(e *execution) {
	if e.tasks == 1 {
		w.execute(e)
	} else {
		w.executeRun(e)
	}
	e.halt()
	e.cancel(nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.executing = slices.DeleteFunc(w.executing, func(other *execution) bool { return other == e })
	w.harvest(e)
	if !e.work.Needs.IsZero() && len(w.waiting) > 0 {
		w.startable.Broadcast() // there may be room for several
	}
	if w.room() > 0 {
		w.roomy.Signal()
	}
}

// harvest takes what came of an execution so far, to be reported, and what will
// not begin of it, to be executed.
func (w *Worker) harvest(e *execution) {
	l, undone := e.take()
	w.busy -= l.tasks
	for _, p := range undone {
		w.busy -= p.Count
	}
	w.putBack(undone)
	if l.tasks == 0 {
		return
	}
	each := l.took / time.Duration(l.tasks)
	w.pace.took(each, l.tasks)
	l.results[0].shares[0].pace.took(each, l.tasks)
	for _, r := range l.results {
		w.gather(r)
	}
}

// execute runs one task to its end and notes how it ended. It never panics, and
// returns at the latest when the context and the grace after it have ended.
func (w *Worker) execute(e *execution) {
	span := w.traceTask(e)
	t, stop := e.next(e.began)
	if t == nil { // it was cancelled before it began
		return
	}
	if stop != nil {
		defer stop()
	}
	same, parts, origin := w.reuse(t.ctx, t)
	var err error
	if origin == nil {
		parts, err = t.finish(t.undamaged(w.await(t)), nil)
	}
	r := w.judge(t, parts, origin, err) // before the log is stored: until then the context may have ended
	r.Elapsed = task.Duration(w.opt.Now().Sub(e.began))
	if same != nil && r.Outcome == task.Done && t.unsure.Load() == 0 && !dropped(e.ctx) {
		w.bequeath(t, same, parts)
	}
	t.endLog()
	w.measure(t, r.Outcome, r.Parts, time.Duration(r.Elapsed))
	w.traceEnded(span, r)
	w.sayEnded(t, r)
	e.ended(r)
}

// judge says how a task ended that left parts, or an error.
func (w *Worker) judge(t *Task, parts []task.Produced, origin *task.Origin, err error) task.Result {
	r := task.Result{
		Address: t.work.Address, Generation: t.work.Generation, Attempt: t.work.Attempt, Tasks: task.Span(t.index, 1),
	}
	switch {
	case origin != nil:
		r.Outcome, r.Parts, r.Origins = task.Reused, parts, []task.Origin{*origin}
	case err == nil && t.looked != nil:
		r.Outcome, r.Inputs = task.Prepared, t.looked
	case err == nil:
		r.Outcome, r.Parts, r.Sealed = task.Done, parts, t.sealed
	case errors.Is(context.Cause(t.ctx), errHandBack):
		r.Outcome = task.Returned
	default:
		r.Outcome, r.Failure = task.Failed, verdict(t.ctx, err, t.conceal)
		r.Failure.Element = clip(t.about())
	}
	return r
}

// await runs the handler in a goroutine of its own, which it may panic in,
// end, or never leave.
func (w *Worker) await(t *Task) error {
	ended := make(chan struct{})
	var err error
	go protect(func() error { return t.run(t.ctx) }, func(e error) {
		err = e
		close(ended)
	})
	if w.outlast(t, ended) {
		return w.logged(t, err)
	}
	return w.abandon(t)
}

// outlast waits until a handler has ended; false: it goes on although its context
// ended, and the grace after that.
func (w *Worker) outlast(t *Task, ended <-chan struct{}) bool {
	select {
	case <-ended:
		return true
	case <-t.ctx.Done():
	}
	grace, hurry := w.opt.Grace, w.hurry
	if t.work.Run.Handler == "" {
		// A program is killed when its own grace ends, or at once in a hurry:
		// only what no signal ends is left behind.
		grace, hurry = max(grace, w.opt.ProgramGrace+5*time.Second), nil
	}
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-ended:
		return true
	case <-hurry:
	case <-patience.C:
	}
	return false
}

// abandon leaves a handler to itself, and is the error of its task.
func (w *Worker) abandon(t *Task) error {
	w.abandoned.Add(1)
	w.opt.Metrics.Abandoned()
	w.opt.Log.Error("worker: a handler goes on although its context ended: it is abandoned and goes on in the background",
		t.inLog("cause", context.Cause(t.ctx))...)
	return fmt.Errorf("the handler went on although its context had ended, and was abandoned: %w", t.ctx.Err())
}

// logged passes on the error of a handler; the whole stack of a panic is only
// in the logs.
func (w *Worker) logged(t *Task, err error) error {
	if err == nil {
		return nil
	}
	var p *panicError
	if errors.As(err, &p) {
		w.opt.Log.Error("worker: a handler panicked", t.inLog("panic", t.conceal(p.what), "stack", t.conceal(p.stack))...)
		t.record(blob.LogErr, []byte(t.conceal(p.report())+"\n"))
	}
	return err
}

var errNothingToRun = Permanent(errors.New("the message names neither a handler nor a program: the sender is at fault"))

// run finds what executes the task, and runs it.
func (t *Task) run(ctx context.Context) error {
	if err := t.findVariables(ctx); err != nil {
		return err
	}
	if t.work.Run.Handler == "" {
		return runProgram(ctx, t)
	}
	t.kept.makeRoom(t.work.Needs)
	handler, err := t.registry.lookup(t.work.Run.Handler)
	if err != nil {
		return err
	}
	if !t.lazy() {
		if _, err := t.locate(ctx); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return handler(ctx, t)
}
