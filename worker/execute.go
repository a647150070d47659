package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
)

// execute runs one task to its end and says how it ended. It never panics, and
// returns at the latest when the context and the grace after it have ended.
func (w *Worker) execute(e *execution) task.Result {
	ctx, span := w.traceTask(e)
	if limit := time.Duration(e.work.Timeout); limit > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, limit, &timeoutError{limit})
		defer stop()
	}
	t := &Task{
		ctx: ctx, work: e.work, index: e.index, ordinal: e.ordinal,
		blobs: w.opt.Blobs, lists: w.lists, log: w.opt.Log, nonce: w.opt.Nonce, tools: w.tools, metrics: w.opt.Metrics,
		printed: printed{now: w.opt.Now, every: logEvery}, at: &e.at,
	}
	if w.steps.stepped {
		t.printed.every = 0
	}
	same, produced, origin := w.reuse(ctx, t)
	var err error
	if origin == nil {
		produced, err = t.finish(t.undamaged(w.await(ctx, t)))
	}
	r := task.Result{
		Address: e.work.Address, Generation: e.work.Generation, Attempt: e.work.Attempt,
		Tasks: task.Span(e.index, 1), Elapsed: task.Duration(w.opt.Now().Sub(e.began)),
	}
	switch { // before the log is stored: until then the context may have ended
	case origin != nil:
		r.Outcome, r.Parts, r.Origins = task.Reused, produced, []task.Origin{*origin}
	case err == nil && t.looked != nil:
		r.Outcome, r.Inputs = task.Prepared, t.looked
	case err == nil:
		r.Outcome, r.Parts, r.Sealed = task.Done, produced, t.sealed
	case errors.Is(context.Cause(ctx), errHandBack):
		r.Outcome = task.Returned
	default:
		r.Outcome, r.Failure = task.Failed, verdict(ctx, err, t.conceal)
		if name := t.about.Load(); name != nil {
			r.Failure.Element = clip(*name)
		}
	}
	if same != nil && r.Outcome == task.Done && t.unsure.Load() == 0 && !dropped(e.ctx) {
		w.bequeath(t, same, produced)
	}
	t.endLog()
	w.measure(e, r)
	w.traceEnded(span, r)
	w.sayEnded(t, r)
	return r
}

// await runs the handler in a goroutine of its own, which it may panic in,
// end, or never leave.
func (w *Worker) await(ctx context.Context, t *Task) error {
	ended := make(chan error, 1)
	go protect(func() error { return t.run(ctx) }, func(err error) { ended <- err })
	select {
	case err := <-ended:
		return w.logged(t, err)
	case <-ctx.Done():
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
	case err := <-ended:
		return w.logged(t, err)
	case <-hurry:
	case <-patience.C:
	}
	w.abandoned.Add(1)
	w.opt.Metrics.Abandoned()
	w.opt.Log.Error("worker: a handler goes on although its context ended: it is abandoned and goes on in the background",
		t.inLog("cause", context.Cause(ctx))...)
	return fmt.Errorf("the handler went on although its context had ended, and was abandoned: %w", ctx.Err())
}

// logged passes on the error of a handler; the whole stack of a panic is only
// in the logs.
func (w *Worker) logged(t *Task, err error) error {
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
	t.tools.kept.makeRoom(t.work.Needs)
	handler, err := t.tools.registry.lookup(t.work.Run.Handler)
	if err != nil {
		return err
	}
	if err := t.locate(ctx); err != nil {
		return err
	}
	return handler(ctx, t)
}
