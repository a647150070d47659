package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// conflictsInARow is how often a pass is decided anew because somebody else
// wrote; more means two owners that fight, and the rest waits for the next step.
const conflictsInARow = 8

// pass decides on requests of one process in order, and stores what follows:
// one commit, or several where it is much. Then it performs the effects and
// answers. It may be repeated: what was stored already gives no events.
func (o *Owner) pass(ctx context.Context, id string, requests []*request) error {
	conflicts := 0
	for len(requests) > 0 {
		done, err := o.commit(ctx, id, requests)
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
		requests = requests[done:]
	}
	return nil
}

// commit decides on as many requests as one commit takes, and returns how many.
func (o *Owner) commit(ctx context.Context, id string, requests []*request) (done int, err error) {
	since := time.Now() // for people: nothing is decided by it
	known, err := o.state(ctx, id)
	if err != nil {
		return o.refuseUnreadable(ctx, requests, err)
	}
	pass, size, late := process.Begin(*known), 0, 0
	var records []events.Record
	var effects []process.Effect
	refused := map[*request]error{}
	began := o.Metrics.Now()
	for _, r := range requests {
		if size > commitSize {
			break
		}
		done++
		decided, asked, err := o.decide(pass, id, r)
		if err != nil {
			refused[r], r.decided = err, nil // what was decided before a conflict has not happened
			continue
		}
		r.decided = decided
		if start, ok := r.command.(process.StartProcess); ok && start.Parent != nil {
			effects = append(effects, process.TellParent{})
		}
		for _, e := range decided {
			stored, err := process.Encode(e)
			if err != nil {
				return 0, fmt.Errorf("process %q: %w", id, err)
			}
			records = append(records, events.Record{Type: stored.Type, Schema: stored.Schema, Data: stored.Data})
			size += len(stored.Data)
		}
		effects = append(effects, asked...)
		r.answer.Version = pass.State().Version
		late += lateTasks(r.command, decided)
	}
	state, happened := pass.State(), pass.Happened()
	o.Metrics.Decided(began)
	if len(records) > 0 {
		commitID := ulid.Make().String()
		began = o.Metrics.Now()
		if err := o.append(ctx, id, known.Version, commitID, records); err != nil {
			o.drop(id)
			if errors.Is(err, events.ErrTooLarge) {
				return o.commitLess(ctx, id, requests[:done], err)
			}
			return 0, err
		}
		o.Metrics.Committed(len(records), began)
		o.measure(known.Status, &state, happened)
		o.Failpoint("orchestrator.after-append")
		o.keep(id, &state)
		o.feeder.observe(id, happened)
		o.children.observe(&state, happened)
		o.tell(id, happened)
		o.snapshot(ctx, state, commitID)
	} else if err := o.confirmCurrent(ctx, id, known.Version); err != nil {
		return 0, err
	}
	if late > 0 {
		o.late[id] += late
		o.Metrics.Late(late)
	}
	o.traceDecided(since, &state, requests[:done], refused)
	o.perform(ctx, &state, effects) // before what may fail: a repeat finds the events stored, and asks for nothing
	for _, r := range requests[:done] {
		if err := refused[r]; err != nil {
			if err := o.refuse(ctx, r, err); err != nil {
				return 0, err
			}
		}
	}
	return done, nil
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

// confirmCurrent fences a decision that led to no event. Without it, an owner
// that does not know that another one has gone on would drop, or refuse, what
// the other one asked for.
func (o *Owner) confirmCurrent(ctx context.Context, id string, version uint64) error {
	stored, err := o.Events.Version(ctx, streamPrefix+id)
	if err != nil {
		return fmt.Errorf("process %q: %w", id, err)
	}
	if k := o.closings[id]; k.archived != nil {
		version = k.version // it stands where its events stood
	}
	if stored == version || planted.Is(planted.UnverifiedTakeover) {
		return nil
	}
	o.drop(id)
	return &events.ConflictError{Stream: streamPrefix + id, Expected: events.Exactly(version), Actual: stored}
}

// commitLess handles a commit that the store does not take: alone, the first
// command may fit; if it was alone, it is refused.
func (o *Owner) commitLess(ctx context.Context, id string, requests []*request, tooLarge error) (int, error) {
	if len(requests) > 1 {
		return o.commit(ctx, id, requests[:1])
	}
	return 1, o.refuse(ctx, requests[0], &process.RefusedError{Process: id, Reason: tooLarge.Error()})
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

func (o *Owner) append(ctx context.Context, id string, version uint64, commitID string, records []events.Record) error {
	expected := events.Exactly(version)
	if planted.Is(planted.UncheckedVersion) {
		expected = events.Any()
	}
	_, err := o.Events.Append(ctx, streamPrefix+id, expected, commitID, records...)
	if errors.Is(err, events.ErrUnavailable) { // the answer may be what was lost
		_, err = o.Events.Append(ctx, streamPrefix+id, expected, commitID, records...)
	}
	if err != nil {
		return fmt.Errorf("process %q: %w", id, err)
	}
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
		body, err := json.Marshal(r.answer)
		if err == nil {
			err = o.Signals.Publish(ctx, r.replyTo, body)
		}
		if err != nil {
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
				o.feeder.add(s.ID, e, trace)
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
	body, err := json.Marshal(c)
	if err == nil {
		err = o.Signals.Publish(ctx, TopicCancel, body)
	}
	if err != nil && ctx.Err() == nil {
		o.Log.Warn("orchestrator: a cancel was not sent; it goes to every heartbeat that still holds tasks", o.inLog(c.Process, "error", err)...)
	}
}

// callRoll asks the workers what they hold. One that does not hear it says so
// within a second anyway.
func (o *Owner) callRoll(ctx context.Context) {
	if err := o.Signals.Publish(ctx, TopicRollCall, nil); err != nil && ctx.Err() == nil {
		o.Log.Warn("orchestrator: a roll call was not sent", "error", err)
	}
}
