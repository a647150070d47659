package orchestrator

import (
	"context"
	"time"

	"github.com/deedrun/deed/queue"
)

const (
	idle       = time.Second / 4 // the longest wait of a step with nothing to do: questions are answered between two
	retryAfter = time.Second / 4 // after a backend was not available
	finish     = time.Second     // how long a step may go on that is under way when the owner is to end
	leave      = 2 * time.Second // how long letting go may take then
)

// Run steps until ctx ends. It retries for ever what is unavailable and
// returns only the error of a context. In the end it lets go of its shards, so
// that others take them at once; a step that is under way may go on for a moment.
func (o *Owner) Run(ctx context.Context) error {
	o.saving = make(chan struct{}, 1)
	defer func() { o.saving <- struct{}{} }() // until the last snapshot is stored
	defer o.searches.aside.Wait()
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(finish, stop) })()
	speaking := make(chan struct{})
	go func() {
		defer close(speaking)
		o.voice.carry(ctx)
	}()
	wait, trouble := time.Duration(0), standstill{}
	for ctx.Err() == nil {
		began := time.Now()
		o.voice.steps()
		next, err := o.step(working, ctx, time.Now, wait)
		if ctx.Err() != nil {
			break
		}
		wait = min(max(time.Until(next), 0), idle)
		if err == nil {
			trouble.over(o.Log, time.Now())
			continue
		}
		trouble.failed(o.Log, began, time.Now(), err)
		if o.aside(trouble.since, err) && o.standAside(ctx) == nil {
			wait, trouble = 0, standstill{}
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
	<-speaking
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leave)
	defer cancel()
	if err := o.Leave(leaving); err != nil {
		o.Log.Debug("orchestrator: could not let go in order; others take over once this one is silent", "error", err)
	}
	return context.Cause(ctx)
}

// Step does all there is to do now, without waiting, and says when to come
// back at the latest. After an error the same step is tried again: nothing is
// acknowledged that was not stored.
func (o *Owner) Step(ctx context.Context, now time.Time) (next time.Time, err error) {
	return o.step(ctx, ctx, func() time.Time { return now }, 0)
}

// step is one step; waiting ends the wait for messages, and nothing else.
func (o *Owner) step(ctx, waiting context.Context, clock func() time.Time, wait time.Duration) (next time.Time, err error) {
	defer func() {
		if err != nil && waiting.Err() == nil { // who leaves has not failed
			o.Metrics.StepFailed()
		}
	}()
	before, began := o.shards, o.Metrics.Now()
	if err := o.shareOut(ctx, clock); err != nil {
		return clock(), err
	}
	sharing := o.Metrics.Now().Sub(began)
	if o.taking != nil || o.shards != before {
		wait = 0
	}
	now := clock()
	deliveries := o.backlog
	if len(deliveries) == 0 {
		var err error
		if deliveries, err = o.Inbox.Receive(waiting, inboxBatch, wait); err != nil {
			return now, err
		}
		now = clock()
		o.Metrics.Received(len(deliveries))
	}
	began = o.Metrics.Now().Add(-sharing)
	err = o.work(ctx, now, deliveries)
	o.Metrics.Stepped(began, err == nil)
	if err != nil {
		return now, err
	}
	o.look(now)
	return o.next(now), nil
}

// work is a step once messages have come in, or none have.
func (o *Owner) work(ctx context.Context, now time.Time, deliveries []queue.Delivery) error {
	o.listen(ctx, now)
	if err := o.handleInbox(ctx, now, deliveries); err != nil {
		return err
	}
	if err := o.fireTimers(ctx, now); err != nil {
		return err
	}
	if err := o.askTimeouts(ctx, now); err != nil {
		return err
	}
	if err := o.mindChildren(ctx, now); err != nil {
		return err
	}
	if err := o.reuse(ctx, now); err != nil {
		return err
	}
	return o.feed(ctx, now)
}

// next is when there may be something to do even if nothing comes in.
func (o *Owner) next(now time.Time) time.Time {
	if o.taking != nil || o.children.busy() {
		return now
	}
	at := now.Add(idle)
	if o.searches.busy() {
		at = now.Add(searchPoll)
	}
	if due, ok := o.timers.next(); ok && due.Before(at) {
		at = due
	}
	if due, ok := o.feeder.next(now); ok && due.Before(at) {
		at = due
	}
	return at
}
