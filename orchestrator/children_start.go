package orchestrator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

const (
	startsAtOnce  = 256 // children in one step, of all parents
	startsATurn   = 64  // of one parent, before others have a turn
	unheardAtOnce = 512 // of one parent: more are started when these have begun

	// A start that was not heard of is repeated after a while, first soon: its
	// message may be lost. A child that has begun says so itself from time to time,
	// and is asked only when it has been silent for long.
	startAgain       = 5 * time.Second
	startAgainAtMost = time.Minute
	silentFor        = 10 * time.Minute
)

// mindChildren does what there is to do for parents and children. What cannot be
// sent now is kept.
func (o *Owner) mindChildren(ctx context.Context, now time.Time) error {
	if err := o.hearChildren(ctx, now); err != nil {
		return err
	}
	if now.Sub(o.children.looked) >= time.Second {
		o.children.looked = now
		o.children.startSilent(now, o.feeder)
		o.children.sayAgain(now)
	}
	if err := o.tellParents(ctx, now); err != nil {
		return err
	}
	if err := o.sendOrders(ctx); err != nil || len(o.children.orders) > 0 {
		return err // a start that follows on a stop must not come before it
	}
	refused, err := o.startChildren(ctx, now)
	return errors.Join(o.passAll(ctx, refused), err)
}

// births is the messages that start children in one step.
type births struct {
	messages []queue.Message
	of       []started // by message
	refused  batch
}

// started is a child and the start that it came of.
type started struct {
	parent string
	birth  birth
	start  start
}

// startChildren starts those whose turn it is. It returns the commands that
// follow from children which can never be started.
func (o *Owner) startChildren(ctx context.Context, now time.Time) (batch, error) {
	var m births
	for turns := len(o.children.turns); turns > 0 && len(m.messages) < startsAtOnce; turns-- {
		id := o.children.turns[0]
		s, err := o.state(ctx, id)
		if err != nil && isPassing(ctx, err) {
			return m.refused, err
		}
		o.children.turns = o.children.turns[1:]
		f := o.children.families[id]
		if f == nil {
			continue
		}
		f.waits = false
		switch {
		case err != nil || s.Ended() || s.Damage() != nil:
			o.children.end(id)
		case s.Status != process.Running:
			f.starts = nil // after the pause all of it is asked for again
		default:
			f.startSome(&m, s, now)
			o.children.await(id)
		}
	}
	err := o.postBirths(ctx, &m, now)
	return m.refused, err
}

// startSome gives a parent a turn.
func (f *family) startSome(m *births, s *process.State, now time.Time) {
	for n := 0; n < startsATurn && len(f.starts) > 0 && f.unheard < unheardAtOnce; {
		b, e := f.next()
		if known := f.born[b]; known != nil && known.attempt == e.Attempt || !isWanted(s, b, e.Attempt) {
			continue
		}
		message, err := birthMessage(*s, b, e, now)
		if err != nil {
			m.refused.add(s.ID, unborn(b, e, err, now))
			continue
		}
		m.messages, m.of = append(m.messages, message), append(m.of, started{s.ID, b, e})
		f.bear(b, e, now)
		n++
	}
}

// bear notes that a child was started.
func (f *family) bear(b birth, e start, now time.Time) {
	if known := f.born[b]; known == nil || known.heard {
		f.unheard++
	}
	wait := min(startAgain<<min(e.starts, 8), startAgainAtMost)
	f.born[b] = &born{attempt: e.Attempt, starts: e.starts + 1, again: now.Add(wait), looked: e.looked}
}

// birthMessage is the message that starts a child.
func birthMessage(s process.State, b birth, e start, now time.Time) (queue.Message, error) {
	command, err := process.Child(s, e.StartChildren, b.index, e.looked, now)
	if err != nil {
		return queue.Message{}, err
	}
	message, err := commandMessage(command.ID, command, "")
	message.Trace = command.Trace
	return message, err
}

// postBirths sends them. If some were not stored, all are as if they had not
// been sent; one that is too large is refused.
func (o *Owner) postBirths(ctx context.Context, m *births, now time.Time) error {
	if len(m.messages) == 0 {
		return nil
	}
	err := o.Inbox.Send(ctx, m.messages...)
	if err == nil {
		return nil
	}
	refused := -1
	if errors.Is(err, queue.ErrTooLarge) {
		refused = largest(m.messages)
		m.refused.add(m.of[refused].parent, unborn(m.of[refused].birth, m.of[refused].start, err, now))
	}
	for i, s := range slices.Backward(m.of) {
		f := o.children.family(s.parent)
		if i != refused {
			f.starts = append([]start{s.start}, f.starts...)
		}
		o.children.drop(s.parent, s.birth)
	}
	if refused >= 0 {
		return nil
	}
	return fmt.Errorf("start children: %w", err)
}

// unborn makes of a child that cannot be started a failure of its task.
func unborn(b birth, e start, why error, now time.Time) *request {
	return &request{command: process.FailTasks{
		Address: b.address, Generation: b.generation, Attempt: e.Attempt, Tasks: task.Span(b.index, 1),
		Error: "its child cannot be started: " + why.Error(), Verdict: task.Permanent, At: now,
	}}
}

// startSilent has children started again that said nothing for too long. What a
// worker found is not kept once the child has begun: it is looked for again.
func (c *children) startSilent(now time.Time, f *feeder) {
	var due []string
	for id, fam := range c.families {
		for _, b := range fam.born {
			if !b.again.After(now) {
				due = append(due, id)
				break
			}
		}
	}
	slices.Sort(due)
	for _, id := range due {
		fam := c.families[id]
		for _, b := range fam.sorted() {
			known := fam.born[b]
			if known.again.After(now) {
				continue
			}
			e := process.StartChildren{Address: b.address, Generation: b.generation, Attempt: known.attempt, Tasks: task.Span(b.index, 1)}
			c.drop(id, b)
			if known.forgotten() {
				f.add(id, queued{Enqueue: process.Enqueue(e)})
				continue
			}
			c.add(id, start{StartChildren: e, looked: known.looked, starts: known.starts})
		}
	}
}

// forgotten reports whether what a worker found for the child is kept no more.
func (b *born) forgotten() bool { return b.looked != nil && len(b.looked) == 0 }

// prepared takes what a worker found that a child reads, and starts it. The task
// is with no worker any more.
func (o *Owner) prepared(id string, r task.Result) {
	e := enqueueOf(r)
	o.feeder.takeBack(id, e)
	o.children.add(id, start{StartChildren: process.StartChildren(e), looked: r.Inputs})
}

func compareBirths(a, b birth) int {
	return cmp.Or(cmp.Compare(a.address, b.address), cmp.Compare(a.generation, b.generation), cmp.Compare(a.index, b.index))
}
