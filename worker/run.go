package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/deedrun/deed/internal/metrics"
)

// receiveWait is how long one look into an empty queue waits. A worker that
// leaves lets the last look end by itself, so that no message gets lost in it.
const receiveWait = 200 * time.Millisecond

// Run executes tasks until ctx is cancelled or Drain is called, and returns
// when the worker has left: see [Worker.Drain]. The handlers' contexts carry
// the values of ctx, but not its end. An error says that the worker could not
// start, or that results could not be reported; those tasks are then done again.
func (w *Worker) Run(ctx context.Context) error {
	if w.began.Swap(true) {
		return errors.New("run worker: it ran before; create another")
	}
	ears, err := w.listen()
	if err != nil {
		return err
	}
	defer ears.stop()
	defer w.tools.close()
	defer w.opt.Metrics.Attach(w.now)()

	life, end := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	background.Go(func() { w.signalling(life, ears) })
	background.Go(func() { w.leasing(life) })

	c := w.crew(life)
	select {
	case <-ctx.Done():
		w.Drain()
	case <-w.leave:
	}
	w.retire(c)
	end()
	background.Wait()
	return w.depart()
}

// crew is the goroutines that a worker ends one after the other when it leaves.
type crew struct {
	receiver, slots, reporter    sync.WaitGroup
	stopReceiving, stopReporting context.CancelFunc
	flush                        chan struct{} // closed: report what is left, and end
}

func (w *Worker) crew(life context.Context) *crew {
	c := &crew{flush: make(chan struct{})}
	var receiving, reporting context.Context
	receiving, c.stopReceiving = context.WithCancel(life)
	reporting, c.stopReporting = context.WithCancel(life)
	c.receiver.Go(func() { w.receiving(receiving) })
	for range w.opt.Slots {
		c.slots.Go(func() { w.working(life) })
	}
	c.reporter.Go(func() { w.reporting(reporting, c.flush) })
	return c
}

// receiving fills the room there is, until the worker drains.
func (w *Worker) receiving(ctx context.Context) {
	var pause backoff
	for {
		room := w.awaitRoom()
		if room == 0 {
			return
		}
		_, err := w.receive(ctx, room, receiveWait)
		w.deaf.Store(err != nil)
		if err == nil {
			pause.reset()
			continue
		}
		if ctx.Err() != nil {
			return
		}
		w.opt.Metrics.Failed(metrics.Receiving)
		w.opt.Log.Warn("worker: receiving tasks failed; it is tried again", "error", err)
		if !pause.wait(ctx, w.leave) {
			return
		}
	}
}

// awaitRoom waits until there is room for messages; 0: the worker drains.
func (w *Worker) awaitRoom() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.draining {
		if room := w.room(); room > 0 {
			return room
		}
		w.roomy.Wait()
	}
	return 0
}

// working is one slot: it executes tasks until the worker drains.
func (w *Worker) working(ctx context.Context) {
	for {
		w.mu.Lock()
		e := w.next(ctx)
		for e == nil && !w.draining {
			w.startable.Wait()
			e = w.next(ctx)
		}
		w.mu.Unlock()
		if e == nil {
			return
		}
		w.perform(e)
	}
}

// reporting reports and acknowledges, until flush is closed and nothing is left.
func (w *Worker) reporting(ctx context.Context, flush <-chan struct{}) {
	var pause backoff
	for {
		last := ended(flush)
		sent, due, err := w.report(ctx, last)
		switch {
		case err != nil:
			if ctx.Err() != nil {
				return
			}
			w.opt.Metrics.Failed(metrics.Reporting)
			w.opt.Log.Warn("worker: reporting failed; it is tried again", "error", err)
			if !pause.wait(ctx, nil) {
				return
			}
		case sent > 0:
			pause.reset()
			w.acknowledging(ctx)
		case last:
			return
		default:
			w.awaitResult(due, flush)
		}
	}
}

// acknowledging tries a few times: other reports wait, and a message that
// comes again does no harm.
func (w *Worker) acknowledging(ctx context.Context) {
	const tries = 3
	var pause backoff
	for i := range tries {
		err := w.acknowledge(ctx)
		if err == nil {
			return
		}
		w.opt.Metrics.Failed(metrics.Acknowledging)
		w.opt.Log.Warn("worker: acknowledging failed", "try", i+1, "of", tries, "error", err)
		if !pause.wait(ctx, nil) {
			break
		}
	}
	w.out.acks = nil
}

// awaitResult waits for another result, or until a bundle waited long enough.
func (w *Worker) awaitResult(due time.Time, flush <-chan struct{}) {
	var enough <-chan time.Time
	if !due.IsZero() {
		timer := time.NewTimer(due.Sub(w.opt.Now()))
		defer timer.Stop()
		enough = timer.C
	}
	select {
	case <-w.gathered:
	case <-enough:
	case <-flush:
	}
}

// leasing extends leases until ctx ends.
func (w *Worker) leasing(ctx context.Context) {
	for {
		tick := w.leaseTick()
		call, cancel := context.WithTimeout(ctx, tick)
		err := w.extend(call)
		cancel()
		if err != nil && ctx.Err() == nil {
			w.opt.Metrics.Failed(metrics.Extending)
			w.opt.Log.Warn("worker: extending leases failed; it is tried again", "error", err)
			tick /= 4
		}
		timer := time.NewTimer(tick)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

func ended(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
