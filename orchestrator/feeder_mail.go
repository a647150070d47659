package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// mail is the messages of one step.
type mail struct {
	now      time.Time
	messages []queue.Message
	of       []posted // by message
	refused  batch
}

// posted is the tasks that a message is about.
type posted struct {
	*row
	queued
}

// write makes messages of tasks that are still to be sent, of at most batch each
// and no more than most. What does not fit in waits again.
func (m *mail) write(s *process.State, r *row, e queued, batch, most int) (messages, tasks int) {
	open := r.out.without(s.Current(e.Address, e.Attempt, s.Open(e.Address, e.Generation, e.Tasks)), e.Generation, e.Attempt)
	if planted.Is(planted.OffByOne) && r.waiting > 0 {
		r.take(1)
	}
	var letter letter
	for len(open) > 0 && messages < most {
		one, n := e, batch
		one.Tasks = open
		trace := one.messageTrace(s)
		if one.travelsAlone(trace) {
			n = 1
		}
		one.Tasks, open = open.Take(n)
		body, err := letter.about(s, one)
		if err != nil {
			m.refused.add(s.ID, unsendable(one.Enqueue, err, m.now))
			continue
		}
		m.messages = append(m.messages, queue.Message{Lane: r.account.lane.name, Key: s.ID, Body: body, Trace: trace})
		m.of = append(m.of, posted{r, one})
		n = one.Tasks.Len()
		r.goOut(one.Tasks, sending{generation: e.Generation, attempt: e.Attempt, at: m.now, parts: partsOf(n)})
		messages, tasks = messages+1, tasks+n
	}
	e.Tasks = open
	r.pushFront(e)
	return messages, tasks
}

// letter makes the messages of tasks of one attempt at a step, of one state. What
// they have in common is encoded once.
type letter struct{ header task.Header }

// about is the message about some of the tasks.
func (l *letter) about(s *process.State, e queued) ([]byte, error) {
	if l.header != nil {
		return l.header.WithTasks(e.Tasks), nil
	}
	w, err := workOf(s, e.Enqueue)
	if err != nil {
		return nil, err
	}
	w.Refresh = w.Refresh || w.Cache && e.looked
	var body []byte
	if w.TaskLists() {
		body, err = json.Marshal(w)
	} else if l.header, err = w.Header(); err == nil {
		body = l.header.WithTasks(e.Tasks)
	}
	if err != nil {
		return nil, fmt.Errorf("encode the message of %s[%d]: %w", e.Address, e.Tasks[0].First, err)
	}
	return body, nil
}

// post sends the messages. After an error all of them are pending again.
func (f *feeder) post(ctx context.Context, m *mail) error {
	if len(m.messages) == 0 {
		return nil
	}
	err := f.work.Send(ctx, m.messages...)
	if err == nil {
		for _, p := range m.of {
			f.posted += p.Tasks.Len()
		}
		return nil
	}
	for _, p := range slices.Backward(m.of) {
		n := p.comeBack(p.Tasks, nil).Len()
		p.account.pay(-time.Duration(n) * p.cost())
		p.bucket.giveBack(n)
		p.pushFront(p.queued)
		f.freshen(p.row)
	}
	if !errors.Is(err, queue.ErrTooLarge) {
		return fmt.Errorf("send tasks: %w", err)
	}
	p := m.of[largest(m.messages)]
	if p.Tasks.Len() > 1 {
		p.single = true
		return nil
	}
	m.refused.add(p.feed.id, unsendable(p.Enqueue, err, m.now))
	return nil
}

// unsendable makes of a message that cannot be sent a failure of its task, so
// that the process ends with the reason instead of standing still.
func unsendable(e process.Enqueue, why error, now time.Time) *request {
	return &request{command: process.FailTasks{
		Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: e.Tasks,
		Error: "its message cannot be sent: " + why.Error(), Verdict: task.Permanent, At: now,
	}}
}

// largest is the message that a queue most likely found too large.
func largest(messages []queue.Message) (at int) {
	for i := range messages {
		if len(messages[i].Body) > len(messages[at].Body) {
			at = i
		}
	}
	return at
}
