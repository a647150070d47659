package orchestrator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// feeder turns scheduled tasks into messages on the work queue, and keeps the
// queue short: of each process at most window tasks are out, and processes
// take turns. It is what Lokad's receptor was: what it still holds is derived
// from the state (process.Resume) and never stored.
type feeder struct {
	work   queue.Queue
	window int
	paused time.Time // until then nothing is sent
	feeds  map[string]*feed
	turn   []string // processes with something to send, in the order of their turns
	halted []string // processes whose messages are to be purged
}

// feed is the feeder's share of a process.
type feed struct {
	pending []process.Enqueue
	sent    map[taskKey]sending
	inTurn  bool // it stands in feeder.turn
}

type taskKey struct {
	address string
	index   int
}

// sending is a task that is on the queue or with a worker.
type sending struct {
	generation int
	attempt    int
	at         time.Time
}

// turnSize is how many tasks a process may send before it is another's turn.
const turnSize = 256

func newFeeder(work queue.Queue, window int) *feeder {
	return &feeder{work: work, window: window, feeds: map[string]*feed{}}
}

func (f *feeder) pauseUntil(t time.Time) { f.paused = t }

func (f *feeder) feed(id string) *feed {
	if f.feeds[id] == nil {
		f.feeds[id] = &feed{sent: map[taskKey]sending{}}
	}
	return f.feeds[id]
}

// add takes tasks to be sent. Those that are out at this attempt already are
// passed over when their turn comes: see resend.
func (f *feeder) add(id string, e process.Enqueue) {
	fd := f.feed(id)
	fd.pending = append(fd.pending, e)
	f.join(id, fd)
}

// join gives a process a turn.
func (f *feeder) join(id string, fd *feed) {
	if !fd.inTurn {
		f.turn, fd.inTurn = append(f.turn, id), true
	}
}

// observe learns from stored events which tasks are not out any more.
func (f *feeder) observe(id string, happened []process.Event) {
	fd := f.feeds[id]
	if fd == nil {
		return
	}
	back := func(address string, tasks task.Ranges) {
		for i := range tasks.All() {
			delete(fd.sent, taskKey{address, i})
		}
	}
	for _, e := range happened {
		switch e := e.(type) {
		case process.TasksConfirmed:
			back(e.Address, e.Tasks)
		case process.TasksFailed:
			back(e.Address, e.Tasks)
		case process.TasksLost:
			back(e.Address, e.Tasks)
		case process.TaskTimedOut:
			back(e.Address, task.Span(e.Index, 1))
		}
	}
}

// giveBack takes tasks that a draining worker returned: they go out again.
func (f *feeder) giveBack(id string, r task.Result) {
	f.resend(id, process.Enqueue{Address: r.Address, Generation: r.Generation, Attempt: r.Attempt, Tasks: r.Tasks})
}

// resend takes tasks that were out and that nobody holds. They may be more than
// were ever sent: a report names them.
func (f *feeder) resend(id string, e process.Enqueue) {
	maps.DeleteFunc(f.feed(id).sent, func(key taskKey, s sending) bool {
		return key.address == e.Address && s.attempt == e.Attempt && e.Tasks.Contains(key.index)
	})
	f.add(id, e)
}

// hold marks tasks as out: a worker says it has them. What was confirmed since
// it said so is not: no event would ever take it off again.
func (f *feeder) hold(s *process.State, h task.Hold, now time.Time) {
	fd := f.feeds[s.ID]
	if fd == nil {
		return
	}
	for i := range s.Open(h.Address, h.Generation, h.Tasks).All() {
		if isCurrent(s, h.Address, i, h.Attempt) {
			fd.sent[taskKey{h.Address, i}] = sending{generation: h.Generation, attempt: h.Attempt, at: now}
		}
	}
}

// settle takes off what is over by the state: the events that say so may have
// been somebody else's, or stored without this owner knowing.
func (f *feeder) settle(s *process.State) {
	fd := f.feeds[s.ID]
	if fd == nil {
		return
	}
	maps.DeleteFunc(fd.sent, func(key taskKey, o sending) bool {
		return len(s.Open(key.address, o.generation, task.Span(key.index, 1))) == 0 || !isCurrent(s, key.address, key.index, o.attempt)
	})
}

// isCurrent reports whether this attempt at an open task is the one to execute.
func isCurrent(s *process.State, address string, index, attempt int) bool {
	current, retrying := s.Attempt(address, index)
	return attempt == current && !retrying
}

// stale lists the processes that have tasks out since before t.
func (f *feeder) stale(t time.Time) []string {
	var ids []string
	for id, fd := range f.feeds {
		for _, s := range fd.sent {
			if s.at.Before(t) {
				ids = append(ids, id)
				break
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// out lists the tasks of a process that are out since before t.
func (f *feeder) out(id string, t time.Time) []process.Enqueue {
	type batch struct {
		address             string
		generation, attempt int
	}
	indexes := map[batch][]int{}
	for key, s := range f.feeds[id].sent {
		if s.at.Before(t) {
			b := batch{key.address, s.generation, s.attempt}
			indexes[b] = append(indexes[b], key.index)
		}
	}
	var all []process.Enqueue
	for b, is := range indexes {
		all = append(all, process.Enqueue{Address: b.address, Generation: b.generation, Attempt: b.attempt, Tasks: task.Of(is...)})
	}
	slices.SortFunc(all, func(a, b process.Enqueue) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Attempt, b.Attempt))
	})
	return all
}

// forget drops what is pending: it is about to be derived anew.
func (f *feeder) forget(id string) {
	if fd := f.feeds[id]; fd != nil {
		fd.pending = nil
		f.leave(id)
	}
}

// end drops everything of a process that has ended.
func (f *feeder) end(id string) {
	f.leave(id)
	delete(f.feeds, id)
}

// halt ends a process whose messages must not be executed any more.
func (f *feeder) halt(id string) {
	f.end(id)
	f.halted = append(f.halted, id)
}

func (f *feeder) leave(id string) {
	if fd := f.feeds[id]; fd != nil && fd.inTurn {
		fd.inTurn = false
		f.turn = slices.DeleteFunc(f.turn, func(other string) bool { return other == id })
	}
}

// next is when there is something to send, if nothing comes in before.
func (f *feeder) next(now time.Time) (time.Time, bool) {
	if len(f.halted) > 0 {
		return now, true
	}
	for _, id := range f.turn {
		if fd := f.feeds[id]; len(fd.pending) > 0 && len(fd.sent) < f.window {
			if f.paused.After(now) {
				return f.paused, true
			}
			return now, true
		}
	}
	return time.Time{}, false
}

// send gives each process one turn. It returns the commands that follow from
// messages which can never be sent.
func (f *feeder) send(ctx context.Context, now time.Time, state func(id string) (*process.State, error)) (map[string][]*request, error) {
	for len(f.halted) > 0 {
		if err := f.work.Purge(ctx, f.halted[0]); err != nil {
			return nil, fmt.Errorf("purge the work of process %q: %w", f.halted[0], err)
		}
		f.halted = f.halted[1:]
	}
	if now.Before(f.paused) {
		return nil, nil
	}
	impossible := map[string][]*request{}
	for range len(f.turn) {
		if len(f.turn) == 0 {
			break // reading a state may end it
		}
		id := f.turn[0]
		f.turn, f.feeds[id].inTurn = f.turn[1:], false
		s, err := state(id)
		fd := f.feeds[id]
		if fd == nil {
			continue
		}
		var refused []*request
		if err == nil {
			refused, err = f.sendSome(ctx, now, s, fd)
		}
		if len(refused) > 0 {
			impossible[id] = append(impossible[id], refused...)
		}
		if len(fd.pending) > 0 {
			f.join(id, fd)
		}
		if err != nil {
			return impossible, err
		}
	}
	return impossible, nil
}

// sendSome sends what a process may send in its turn. On an error everything
// of the turn stays pending, and may be sent twice.
func (f *feeder) sendSome(ctx context.Context, now time.Time, s *process.State, fd *feed) ([]*request, error) {
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
		head, rest := s.Open(e.Address, e.Generation, e.Tasks).Take(room)
		for i := range head.All() {
			if !isCurrent(s, e.Address, i, e.Attempt) {
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
