package whatif

import (
	"fmt"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Change turns a definition that held into the one that is to hold instead. It
// is asked for the one that the process started with, and for every one that a
// person revised it to.
type Change func(definition.Definition) (definition.Definition, error)

// Replay is one history under one change. Events are given to it in order; it
// is not for concurrent use.
type Replay struct {
	change Change
	was    recorded
	would  world
	ran    tally             // what was scheduled in the recorded world
	merges map[string]int    // as in the other world
	work   map[string]string // by step: what is different in what it does; filled on demand
	data   map[string]string // by step that has started: what is different in what it reads

	events     uint64
	divergence *Divergence
	refused    []Refusal
	refusals   int
	leftOut    int
	notes      notes
}

// New begins a replay.
func New(change Change) *Replay {
	return &Replay{
		change: change, merges: map[string]int{}, would: world{merges: map[string]int{}},
		work: map[string]string{}, data: map[string]string{},
	}
}

// Next takes the next event of the history. An error is final: the history is
// damaged, or the changed definition cannot be that of this process.
func (r *Replay) Next(e process.Event) error {
	r.events++
	done, err := r.was.next(e)
	if err != nil || len(done.events) == 0 {
		return err
	}
	return r.follow(done)
}

// follow gives a turn of the recorded world to the other one.
func (r *Replay) follow(t turn) error {
	w, now := &r.would, at(t.command)
	w.decided = nil
	if err := r.until(now); err != nil {
		return err
	}
	for _, e := range t.events {
		switch e := e.(type) {
		case process.StepStarted:
			if isMerge(e.Address) {
				r.merges[e.Address] = e.Tasks
			}
		case process.TasksScheduled:
			r.ran.add(e)
		}
	}
	why, err := r.relay(t)
	if err != nil {
		return err
	}
	if !w.parted {
		r.divergence = diverge(r.was.state.StartedAt, t, w.decided, why)
		w.parted = r.divergence != nil
	}
	_, byPerson := process.AskedIn(t.events[0])
	if byPerson {
		clear(r.work)
		clear(r.data)
	}
	if byPerson || r.was.state.Ended() {
		r.plan()
	}
	return nil
}

// relay gives the command of a turn to the other world. why says, where that
// is known, why nothing comes of it there.
func (r *Replay) relay(t turn) (why string, err error) {
	if res, ok := resultOf(t.command); ok {
		r.notes.result(r, res)
		return r.hear(res, at(t.command), t.events)
	}
	w := &r.would
	switch c := t.command.(type) {
	case process.StartProcess:
		return "", r.start(c)
	case process.FireTimer:
		c.Tasks, c.Generation = r.due(c), w.state.Generation(c.Address)
		if len(c.Tasks) > 0 {
			_, err = w.obey(c, t.events)
		}
		return "", err
	case process.FireDeadline:
		_, err = w.obey(c, t.events)
		return "", err
	case process.ReviseProcess:
		if c.Definition, err = r.change(c.Definition); err != nil {
			return "", fmt.Errorf("change the definition that holds from event %d on: %w", t.first, err)
		}
		return r.request(t, c)
	}
	return r.request(t, t.command)
}

// InputError is an input of the changed definition that the process was not given.
type InputError struct{ Name string }

func (e *InputError) Error() string {
	return fmt.Sprintf("the definition has the input %q, which the process was not given", e.Name)
}

func (r *Replay) start(c process.StartProcess) (err error) {
	if c.Definition, err = r.change(c.Definition); err != nil {
		return err
	}
	inputs := map[string]task.Dataset{}
	for _, name := range c.Definition.Inputs {
		d, given := c.Inputs[name]
		if !given {
			return &InputError{Name: name}
		}
		inputs[name] = d
	}
	c.Inputs = inputs
	_, err = r.would.obey(c, nil)
	return err
}

// request gives a person's command to the other world, which may refuse it.
func (r *Replay) request(t turn, c process.Command) (why string, err error) {
	_, err = r.would.obey(c, t.events)
	reason, refused := refusal(err)
	if !refused {
		return "", err
	}
	r.refusals++
	if len(r.refused) < mostListed {
		r.refused = append(r.refused, Refusal{Event: t.first, Command: c.String(), Reason: reason})
	}
	return "that would be refused: " + reason, nil
}

// due is those of the tasks that fired in the recorded world whose retry is due
// in the other one, too.
func (r *Replay) due(c process.FireTimer) task.Ranges {
	var due []int
	for index := range c.Tasks.All() {
		attempt, when := r.would.state.Attempt(c.Address, index)
		_, recorded := r.was.before.Attempt(c.Address, index)
		if attempt == c.Attempt && !when.IsZero() && (!when.After(c.At) || when.Equal(recorded)) {
			due = append(due, index)
		}
	}
	return task.Of(due...)
}
