package whatif

import (
	"fmt"
	"slices"
	"time"

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
		r.divergence = diverge(t, w.decided, why)
		w.parted = r.divergence != nil
	}
	_, byPerson := requestOf(r.was.before, t.events[0])
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

func (r *Replay) start(c process.StartProcess) (err error) {
	if c.Definition, err = r.change(c.Definition); err != nil {
		return err
	}
	inputs := map[string]task.Dataset{}
	for _, name := range c.Definition.Inputs {
		d, given := c.Inputs[name]
		if !given {
			return fmt.Errorf("it reads the input %q, which process %s was not given", name, c.ID)
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

// until lets happen what is due in the other world before a time.
func (r *Replay) until(limit time.Time) error {
	w := &r.would
	for {
		next, some := w.agenda.first()
		deadline, strikes := r.deadline()
		switch {
		case strikes && !deadline.After(limit) && (!some || !next.Before(deadline)):
			w.reach(deadline)
			if _, err := w.obey(process.FireDeadline{At: w.now}, nil); err != nil {
				return err
			}
		case some && !next.After(limit):
			if err := r.do(w.agenda.take()); err != nil {
				return err
			}
		default:
			w.reach(limit)
			return nil
		}
	}
}

func (r *Replay) do(i item) error {
	r.would.reach(i.at)
	if i.timer != nil {
		return r.would.fire(*i.timer)
	}
	_, err := r.hear(*i.result, r.would.now, nil)
	return err
}

// deadline is that of the other world, unless it is the recorded one, too: then
// it strikes when it is recorded to have struck.
func (r *Replay) deadline() (at time.Time, strikes bool) {
	at = r.would.state.Deadline()
	shared := !r.was.before.Ended() && r.was.before.Deadline().Equal(at)
	return at, r.would.live() && !at.IsZero() && !shared
}

// plan puts the retries on the agenda that are planned in the other world only:
// persons plan without saying so, and where a process has ended nothing comes
// any more of what was planned in it.
func (r *Replay) plan() {
	type plan struct {
		run
		due int64
	}
	theirs := map[plan]task.Ranges{}
	timers := func(s process.State, each func(plan, process.SetTimer)) {
		for _, effect := range process.Resume(s) {
			if t, ok := effect.(process.SetTimer); ok {
				each(plan{run{t.Address, t.Generation, t.Attempt}, t.Due.UnixNano()}, t)
			}
		}
	}
	timers(r.was.state, func(p plan, t process.SetTimer) { theirs[p] = t.Tasks })
	timers(r.would.state, func(p plan, t process.SetTimer) {
		if t.Tasks = t.Tasks.Minus(theirs[p]); len(t.Tasks) > 0 {
			r.would.agenda.put(item{at: t.Due, timer: &t})
		}
	})
}

// finish comes after the last event. What the other world still has planned
// happens if the recorded one has ended; if that still runs, both stand where
// they stood at its last event.
func (r *Replay) finish() error {
	last, err := r.was.close()
	if err != nil {
		return err
	}
	if len(last.events) == 0 {
		return fmt.Errorf("there is no history to replay")
	}
	if err := r.follow(last); err != nil {
		return err
	}
	r.was.before = r.was.state
	for r.was.state.Ended() {
		next, some := r.would.agenda.first()
		deadline, strikes := r.deadline()
		if strikes && (!some || next.After(deadline)) {
			if len(outstanding(r.would.state)) > 0 {
				break // nobody knows whether it would not have ended before
			}
			next, some = deadline, true
		}
		if !some {
			break
		}
		if err := r.until(next); err != nil {
			return err
		}
	}
	return nil
}

// mostListed bounds the lists of a report that are for people.
const mostListed = 20

func clipped(lines []string, most int) []string {
	if len(lines) <= most {
		return lines
	}
	return append(slices.Clone(lines[:most]), fmt.Sprintf("… and %d more", len(lines)-most))
}
