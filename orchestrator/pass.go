package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// pass decides on requests of one process in order, and stores what follows:
// one commit, or several where it is much. Then it performs the effects and
// answers. It may be repeated: what was stored already gives no events. The first
// commit has been tried. After too many conflicts the rest waits for the next step.
func (o *Owner) pass(ctx context.Context, id string, requests []*request, first *commit) error {
	conflicts := 0
	done, err := o.carryOut(ctx, first)
	for ; ; done, err = o.commit(ctx, id, requests) {
		if isConflict(err) && conflicts < conflictsInARow {
			conflicts++
			o.Metrics.Conflict()
			o.Log.Warn("orchestrator: somebody else wrote; deciding again", o.inLog(id, "error", err)...)
			continue
		}
		if lost := lostEvents(err); lost != nil {
			return o.standStill(ctx, id, requests, lost)
		}
		if err != nil {
			return err
		}
		o.reply(ctx, requests[:done])
		if requests = requests[done:]; len(requests) == 0 {
			return nil
		}
	}
}

// decide decides on a request.
func (o *Owner) decide(pass *process.Pass, id string, r *request) ([]process.Event, []process.Effect, error) {
	command, err := asChild(pass, r.command)
	if err != nil || command == nil {
		return nil, nil, err
	}
	if k := o.closings[id]; k.archived != nil { // its history is over: what would change it is refused
		if decided, err := process.Decide(pass.State(), command); err != nil || len(decided) == 0 {
			return nil, nil, err
		}
		return nil, nil, k.refusal()
	}
	return pass.Decide(command)
}

// refuseUnreadable answers for a process whose history cannot be read, so that
// it does not hold up the others. A store that is away is another matter.
func (o *Owner) refuseUnreadable(ctx context.Context, requests []*request, why error) (int, error) {
	if isPassing(ctx, why) {
		return 0, why
	}
	for _, r := range requests {
		if err := o.refuse(ctx, r, why); err != nil {
			return 0, err
		}
	}
	return len(requests), nil
}

// lostEvents tells a history of which events are lost from a conflict: no
// stream becomes shorter than what was read of it. nil: it is another error.
func lostEvents(err error) error {
	var conflict *events.ConflictError
	if !errors.As(err, &conflict) {
		return nil
	}
	if read, exact := conflict.Expected.Version(); !exact || conflict.Actual >= read {
		return nil
	}
	return fmt.Errorf("the history in stream %q is damaged: events that follow the ones that can be read are lost; restore the data from a copy, or start the job under another ID", conflict.Stream)
}

// standStill refuses what is asked of a process that cannot go on, and sends
// nothing more of it, so that the others go on.
func (o *Owner) standStill(ctx context.Context, id string, requests []*request, why error) error {
	o.Log.Error("orchestrator: a process stands still", o.inLog(id, "error", why)...)
	o.Metrics.Stuck()
	delete(o.processes, id)
	delete(o.closings, id)
	delete(o.dropped, id)
	o.feeder.end(id)
	o.timers.drop(id)
	o.children.end(id)
	if _, err := o.refuseUnreadable(ctx, requests, why); err != nil {
		return err
	}
	o.reply(ctx, requests)
	return nil
}

// refuse answers a command that is not granted. A report has nobody who waits
// for an answer: it goes to quarantine, since it should not have been possible;
// of a process that was removed it only is late.
func (o *Owner) refuse(ctx context.Context, r *request, why error) error {
	var removed *RemovedError
	if errors.As(why, &removed) {
		why = removed.refusal()
	}
	r.answer.Error = why.Error()
	var refused *process.RefusedError
	if errors.As(why, &refused) {
		r.answer.Refused, r.answer.Differs = true, refused.Differs
	}
	if r.parents {
		return o.refuseParent(r, why)
	}
	if r.replyTo != "" || r.delivery == nil || removed != nil {
		return nil
	}
	return o.quarantine(ctx, *r.delivery, why)
}

// reply answers the senders that wait. An answer that gets lost is asked for
// again: the command is repeated, and gives the same answer.
func (o *Owner) reply(ctx context.Context, requests []*request) {
	for _, r := range requests {
		if r.replyTo == "" {
			continue
		}
		if err := o.signal(ctx, r.replyTo, r.answer); err != nil {
			o.Log.Warn("orchestrator: an answer was not sent; the sender will ask again", "error", err)
		}
	}
}

// perform does what the core asked for. Nothing here fails: what cannot be
// done now is kept and tried again.
func (o *Owner) perform(ctx context.Context, s *process.State, effects []process.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case process.Enqueue:
			e.Tasks = o.children.without(s.ID, e.Address, e.Generation, e.Attempt, e.Tasks)
			if trace := o.traceScheduled(s, e); !o.lookFor(s, e, trace) {
				o.feeder.add(s.ID, queued{Enqueue: e, trace: trace})
			}
		case process.StartChildren:
			o.children.add(s.ID, start{StartChildren: e})
		case process.TellParent:
			o.children.tell(s)
		case process.SetTimer:
			o.timers.set(e.Due, s.ID, e)
		case process.SetDeadline:
			o.timers.set(e.Due, s.ID, e)
		case process.Withhold:
			o.feeder.forget(s.ID)
			o.feeder.sweep(s.ID)
			o.children.withhold(s)
		case process.Halt:
			if e.Before == nil {
				o.feeder.halt(s.ID)
				o.children.halt(s)
			} else {
				o.children.settle(s)  // those of generations that have passed
				o.feeder.forget(s.ID) // the effects after it ask for all that is still wanted
				o.feeder.sweep(s.ID)
				o.callRoll(ctx)
			}
			o.cancel(ctx, task.Cancel{Process: s.ID, Before: e.Before})
		}
	}
	if s.Ended() {
		o.feeder.end(s.ID)
		o.timers.drop(s.ID)
		o.children.end(s.ID)
	}
}

func (o *Owner) cancel(ctx context.Context, c task.Cancel) {
	if err := o.signal(ctx, task.TopicCancel, c); err != nil && ctx.Err() == nil {
		o.Log.Warn("orchestrator: a cancel was not sent; it goes to every heartbeat that still holds tasks", o.inLog(c.Process, "error", err)...)
	}
}

func (o *Owner) signal(ctx context.Context, topic string, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return o.Signals.Publish(ctx, topic, body)
}

// callRoll asks the workers what they hold. One that does not hear it says so
// within a second anyway.
func (o *Owner) callRoll(ctx context.Context) {
	if err := o.Signals.Publish(ctx, task.TopicRollCall, nil); err != nil && ctx.Err() == nil {
		o.Log.Warn("orchestrator: a roll call was not sent", "error", err)
	}
}
