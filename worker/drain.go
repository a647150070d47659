package worker

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	flushTime    = 5 * time.Second // how long a leaving worker tries to report,
	flushHurried = time.Second     // and one that was closed
	idleTime     = time.Second     // how long tasks may wait for a slot
)

// Drain makes the worker leave in good order, as cancelling the context of Run
// does: it takes no more messages, hands back what has not begun, gives running
// tasks the time Options.DrainTimeout, then cancels those and hands them back, reports
// everything, acknowledges and says goodbye. It returns at once; Run returns
// when all that is done.
func (w *Worker) Drain() { w.drain.Do(func() { close(w.leave) }) }

// Drained reports whether the worker left, or is about to, because a signal
// told it to, and not the program that it is part of.
func (w *Worker) Drained() bool { return w.told.Load() }

// Close makes the worker leave at once: like Drain, but running tasks are
// cancelled without grace and programs killed. It returns at once.
func (w *Worker) Close() {
	w.closing.Do(func() { close(w.hurry) })
	w.Drain()
}

// retire ends the crew in the order in which work flows.
func (w *Worker) retire(c *crew) {
	defer c.stopReceiving()
	defer c.stopReporting()
	w.refuse()
	receiver := over(&c.receiver)
	select {
	case <-receiver:
	case <-w.hurry:
		c.stopReceiving()
		<-receiver
	}
	w.handBack()

	slots := over(&c.slots)
	patience := time.NewTimer(w.opt.DrainTimeout)
	defer patience.Stop()
	select {
	case <-slots:
	case <-patience.C:
		w.cancelRunning()
	case <-w.hurry:
		w.cancelRunning()
	}
	<-slots // at the latest when the grace of handlers ends

	close(c.flush)
	reporter := over(&c.reporter)
	limit := flushTime
	if ended(w.hurry) {
		limit = flushHurried
	}
	flushed := time.AfterFunc(limit, c.stopReporting)
	defer flushed.Stop()
	<-reporter
}

// depart is the last heartbeat, and tells what could not be reported.
func (w *Worker) depart() error {
	ctx, cancel := context.WithTimeout(context.Background(), flushHurried)
	defer cancel()
	if err := w.heartbeat(ctx, true); err != nil {
		w.opt.Log.Warn("worker: the last heartbeat failed", "error", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.results.results; n > 0 {
		return fmt.Errorf("leave: %d results could not be reported in time; those tasks will be reported lost and run again", n)
	}
	return nil
}

// refuse makes the worker begin nothing any more.
func (w *Worker) refuse() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.draining = true
	for _, e := range w.executing {
		e.halt()
	}
	w.startable.Broadcast()
	w.roomy.Broadcast()
}

// cancelRunning ends what runs; what gives up for that is handed back.
func (w *Worker) cancelRunning() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.executing {
		e.stop(errHandBack)
	}
}

// over is closed when all of a group have returned.
func over(group *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	return done
}
