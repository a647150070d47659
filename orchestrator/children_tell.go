package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// A child that goes on says so again after a while, and then ever more seldom:
// so one whose parent has ended meanwhile, unnoticed, is stopped.
const (
	sayAfter   = 30 * time.Second
	sayAtMost  = 4 * time.Minute
	saysAtOnce = 512 // children a second
)

// saying is when a child says again that it goes on, and how long after the last time.
type saying struct {
	at    time.Time
	pause time.Duration
}

// tell has a parent told how its child stands. The state is kept until then: of
// many children that have ended memory forgets most.
func (c *children) tell(s *process.State) { c.telling[s.ID] = s }

// sayAgain has children say that they go on whose time has come.
func (c *children) sayAgain(now time.Time) {
	var due []string
	for id, s := range c.sayings {
		if !s.at.After(now) {
			due = append(due, id)
		}
	}
	slices.Sort(due)
	for _, id := range due[:min(len(due), saysAtOnce)] {
		c.sayings[id] = saying{at: now, pause: min(2*c.sayings[id].pause, sayAtMost)}
		c.telling[id] = nil // as it stands when it is told
	}
}

// said notes that a child has just said that it goes on.
func (c *children) said(id string, now time.Time) {
	pause := max(c.sayings[id].pause, sayAfter)
	c.sayings[id] = saying{at: now.Add(pause), pause: pause}
}

// tellParents tells the parents of children how these stand. That is done before
// what led to it is acknowledged, so that no crash in between keeps the end of a
// child from its parent.
func (o *Owner) tellParents(ctx context.Context, now time.Time) error {
	c := o.children
	if len(c.telling)+len(c.answers) == 0 {
		return nil
	}
	messages, ids := slices.Clone(c.answers), slices.Sorted(maps.Keys(c.telling))
	for _, id := range ids {
		s, err := c.telling[id], error(nil)
		if s == nil {
			s, err = o.state(ctx, id)
		}
		if err != nil && isPassing(ctx, err) {
			return err
		}
		if err != nil || s.Damage() != nil {
			continue // it stands still, and its parent waits
		}
		parent, result, has := s.Outcome()
		if !has || isStoppedByParent(s) {
			continue // the parent knows
		}
		result.Held = s.Status == process.Paused && isHeldByParent(s)
		message, err := toParent(parent, result, s.Trace)
		if err != nil {
			return err
		}
		messages = append(messages, message)
	}
	if err := o.sendToParents(ctx, messages); err != nil {
		return fmt.Errorf("tell parents of their children: %w", err)
	}
	for _, id := range ids {
		if s := o.processes[id]; s != nil && !s.Ended() {
			c.said(id, now)
		}
	}
	c.answers = nil
	clear(c.telling)
	return nil
}

// sendToParents sends what children say. What one hands up that is too large for
// a message is the failure of its task.
func (o *Owner) sendToParents(ctx context.Context, messages []queue.Message) error {
	if len(messages) == 0 {
		return nil
	}
	err := o.Inbox.Send(ctx, messages...)
	if !errors.Is(err, queue.ErrTooLarge) {
		return err
	}
	for _, m := range messages {
		err := o.Inbox.Send(ctx, m)
		if errors.Is(err, queue.ErrTooLarge) {
			if m, err = tooMuch(m); err == nil {
				err = o.Inbox.Send(ctx, m)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tooMuch says, instead of what a child hands up, that it is too large.
func tooMuch(m queue.Message) (queue.Message, error) {
	var e task.Envelope
	if err := json.Unmarshal(m.Body, &e); err != nil {
		return m, err
	}
	r := &e.Report.Results[0]
	r.Outcome, r.Lists = task.Failed, nil
	r.Failure = &task.Failure{Verdict: task.Permanent, Error: fmt.Sprintf("what its child hands up are lists of %d bytes, more than a message holds: hand up fewer outputs", len(m.Body))}
	body, err := json.Marshal(e)
	m.Body = body
	return m, err
}

// toParent is what a child says. No worker is named: what failed in the child says
// which one that was.
func toParent(parent process.Parent, r task.Result, trace string) (queue.Message, error) {
	body, err := json.Marshal(task.Envelope{Report: &task.Report{Process: parent.Process, Results: []task.Result{r}}})
	if err != nil {
		return queue.Message{}, fmt.Errorf("tell process %q of its child: %w", parent.Process, err)
	}
	return queue.Message{Key: parent.Process, Body: body, Trace: trace}, nil
}

// isStoppedByParent reports whether a child was cancelled by its parent, and not
// by a person.
func isStoppedByParent(s *process.State) bool {
	return s.Parent != nil && s.Cancel != nil && s.Cancel.By == asParent(s.Parent.Process).By
}

// isHeldByParent is that of a pause.
func isHeldByParent(s *process.State) bool {
	return s.Parent != nil && s.Pause != nil && s.Pause.By == asParent(s.Parent.Process).By
}

// asChild is what a command means for a child, if it is of its parent; nil: only
// that the parent wants to know how it stands. A start says that the parent wants
// it to go on, whatever the parent itself said before; and since its ID follows
// from the task alone, a start of this task is not held against the definition
// that it began with.
func asChild(pass *process.Pass, c process.Command) (process.Command, error) {
	start, ok := c.(process.StartProcess)
	if !ok || start.Parent == nil {
		return c, nil
	}
	s := pass.State()
	switch {
	case s.Version == 0 || s.Damage() != nil:
		return c, nil
	case s.Parent == nil || *s.Parent != *start.Parent:
		return nil, &process.RefusedError{Process: s.ID, Reason: fmt.Sprintf("the ID is taken by a process that is not the child of %s", start.Parent)}
	case s.Status == process.Cancelled && isStoppedByParent(&s):
		return process.RetryTasks{Asked: asParent(s.Parent.Process), At: start.At}, nil
	case s.Status == process.Paused && isHeldByParent(&s):
		return process.ResumeProcess{Asked: asParent(s.Parent.Process), At: start.At}, nil
	}
	return nil, nil
}

// isFromParent reports whether a command that nobody waits for the answer of is
// of a parent.
func isFromParent(c process.Command) bool {
	if start, ok := c.(process.StartProcess); ok {
		return start.Parent != nil
	}
	asked, ok := askedIn(c)
	return ok && strings.HasPrefix(asked.By, ParentSign)
}

func askedIn(c process.Command) (process.Asked, bool) {
	switch c := c.(type) {
	case process.CancelProcess:
		return c.Asked, true
	case process.PauseProcess:
		return c.Asked, true
	}
	return process.Asked{}, false
}

// refuseParent answers for a child that does not begin: its task fails. Another
// command of a parent that is refused came too late, or too early: a child that
// is not wanted and begins nevertheless says so.
func (o *Owner) refuseParent(r *request, why error) error {
	start, ok := r.command.(process.StartProcess)
	if !ok {
		return nil
	}
	verdict := task.Permanent
	var refused *process.RefusedError
	if !errors.As(why, &refused) {
		verdict = task.Retry // its history cannot be read: another attempt has another
	}
	p := *start.Parent
	message, err := toParent(p, task.Result{
		Address: p.Address, Generation: p.Generation, Attempt: p.Attempt, Tasks: task.Span(p.Index, 1), Outcome: task.Failed,
		Failure: &task.Failure{Verdict: verdict, Error: beginning("its child cannot be started: "+why.Error(), task.MaxError-8)},
	}, start.Trace)
	if err == nil {
		o.children.answers = append(o.children.answers, message)
	}
	return err
}
