package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/internal/planted"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// sendSome sends what a process may send in its turn. On an error everything
// of the turn stays pending, and may be sent twice.
func (f *feeder) sendSome(ctx context.Context, now time.Time, s *process.State, fd *feed) ([]*request, error) {
	if s.Status != process.Running {
		fd.pending = nil // what is to be sent after a pause is derived anew
		return nil, nil
	}
	if fd.swept {
		fd.swept = false
		f.running.each(func(_ beat, h task.Hold) {
			if h.Process == s.ID {
				f.hold(s, h, now)
			}
		})
	}
	unserved := f.setAside(now, s, fd)
	defer func() { fd.pending = append(fd.pending, unserved...) }()
	before := slices.Clone(fd.pending)
	room := min(turnSize, f.window-len(fd.sent))
	var messages []queue.Message
	var refused []*request
	out := map[taskKey]sending{}
	var largest struct {
		enqueue     process.Enqueue
		index, size int
	}
	for len(fd.pending) > 0 && room > 0 {
		e := fd.pending[0]
		head, rest := e.Tasks.Take(room) // before Open: there may be many, and scattered
		head = s.Open(e.Address, e.Generation, head)
		if planted.Is(planted.OffByOne) {
			_, rest = rest.Take(1)
		}
		for i := range head.All() {
			if !s.IsCurrent(e.Address, i, e.Attempt) {
				continue // time has overtaken it
			}
			key := taskKey{e.Address, i}
			if isOut(fd.sent, key, e) || isOut(out, key, e) {
				continue
			}
			m, err := message(s, e, task.Span(i, 1))
			if err != nil {
				refused = append(refused, unsendable(e, i, err, now))
				continue
			}
			if len(m.Body) > largest.size {
				largest.enqueue, largest.index, largest.size = e, i, len(m.Body)
			}
			messages = append(messages, m)
			out[key] = sending{generation: e.Generation, attempt: e.Attempt, at: now}
		}
		room -= head.Len()
		if fd.pending[0].Tasks = rest; len(rest) == 0 {
			fd.pending = fd.pending[1:]
		}
	}
	if err := f.work.Send(ctx, messages...); err != nil {
		fd.pending = before
		if !errors.Is(err, queue.ErrTooLarge) {
			return refused, fmt.Errorf("send tasks of process %q: %w", s.ID, err)
		}
		return append(refused, unsendable(largest.enqueue, largest.index, err, now)), nil
	}
	maps.Copy(fd.sent, out)
	return refused, nil
}

// setAside takes out of what is pending the tasks whose handler no worker
// offers, so that they fill neither the queue nor the window. Nothing is known
// while there is no worker at all.
func (f *feeder) setAside(now time.Time, s *process.State, fd *feed) (unserved []process.Enqueue) {
	if len(f.running.workers) == 0 {
		return nil
	}
	offered := map[string]bool{"": true} // a program
	served := fd.pending[:0:0]
	for _, e := range fd.pending {
		handler := s.Handler(e.Address)
		if _, known := offered[handler]; !known {
			offered[handler] = f.running.offers(handler)
		}
		if offered[handler] {
			served = append(served, e)
		} else {
			unserved = append(unserved, e)
		}
	}
	if fd.pending = served; len(served) == 0 && len(unserved) > 0 {
		fd.idleUntil = now.Add(nowhere)
	}
	return unserved
}

// isOut reports whether this very attempt is out already.
func isOut(sent map[taskKey]sending, key taskKey, e process.Enqueue) bool {
	s, ok := sent[key]
	return ok && s.attempt == e.Attempt && s.generation == e.Generation
}

func message(s *process.State, e process.Enqueue, tasks task.Ranges) (queue.Message, error) {
	w, err := process.Message(*s, e, tasks)
	if err != nil {
		return queue.Message{}, err
	}
	body, err := json.Marshal(w)
	if err != nil {
		return queue.Message{}, fmt.Errorf("encode the message of %s[%d]: %w", e.Address, tasks[0].First, err)
	}
	return queue.Message{Key: s.ID, Body: body}, nil
}

// unsendable makes of a message that cannot be sent a failure of its task, so
// that the process ends with the reason instead of standing still.
func unsendable(e process.Enqueue, index int, why error, now time.Time) *request {
	return &request{command: process.FailTasks{
		Address: e.Address, Generation: e.Generation, Attempt: e.Attempt, Tasks: task.Span(index, 1),
		Error: "its message cannot be sent: " + why.Error(), Verdict: task.Permanent, At: now,
	}}
}
