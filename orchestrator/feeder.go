package orchestrator

import (
	"context"
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
	work    queue.Queue
	window  int
	running *running
	feeds   map[string]*feed
	turn    []string // processes with something to send, in the order of their turns
	purges  []string // processes whose messages are to be removed from the queue
}

// feed is the feeder's share of a process.
type feed struct {
	pending []process.Enqueue
	sent    map[taskKey]sending
	inTurn  bool // it stands in feeder.turn

	// swept says that what was on the queue is gone, so that nothing counts as
	// sent but what workers hold. They are given until notBefore to say so.
	swept     bool
	notBefore time.Time

	// idleUntil: all that is pending is for handlers that nobody offers.
	idleUntil time.Time
}

// from is when something of the process may be sent.
func (fd *feed) from() time.Time {
	if fd.idleUntil.After(fd.notBefore) {
		return fd.idleUntil
	}
	return fd.notBefore
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
	missed     bool // nobody had it at the last look
}

// turnSize is how many tasks a process may send before it is another's turn.
const turnSize = 256

func newFeeder(work queue.Queue, window int, running *running) *feeder {
	return &feeder{work: work, window: window, running: running, feeds: map[string]*feed{}}
}

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
	fd.pending, fd.idleUntil = append(fd.pending, e), time.Time{}
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
		if s.IsCurrent(h.Address, i, h.Attempt) {
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
		return len(s.Open(key.address, o.generation, task.Span(key.index, 1))) == 0 || !s.IsCurrent(key.address, key.index, o.attempt)
	})
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
	f.purge(id)
}

// sweep takes the messages of a process off the queue, in which some are not to
// be executed any more, or may be an earlier owner's. What is pending is sent
// once workers have said what they hold.
func (f *feeder) sweep(id string) {
	fd := f.feed(id)
	fd.swept = true
	clear(fd.sent)
	f.purge(id)
}

func (f *feeder) purge(id string) {
	if !slices.Contains(f.purges, id) {
		f.purges = append(f.purges, id)
	}
}

func (f *feeder) leave(id string) {
	if fd := f.feeds[id]; fd != nil && fd.inTurn {
		fd.inTurn = false
		f.turn = slices.DeleteFunc(f.turn, func(other string) bool { return other == id })
	}
}

// next is when there is something to send, if nothing comes in before.
func (f *feeder) next(now time.Time) (time.Time, bool) {
	if len(f.purges) > 0 {
		return now, true
	}
	var first time.Time
	for _, id := range f.turn {
		fd := f.feeds[id]
		if len(fd.pending) == 0 || len(fd.sent) >= f.window {
			continue
		}
		from := fd.from()
		if !from.After(now) {
			return now, true
		}
		if first.IsZero() || from.Before(first) {
			first = from
		}
	}
	return first, !first.IsZero()
}

// send gives each process one turn. It returns the commands that follow from
// messages which can never be sent.
func (f *feeder) send(ctx context.Context, now time.Time, state func(id string) (*process.State, error)) (impossible batch, err error) {
	if err := f.purgeAll(ctx, now); err != nil {
		return impossible, err
	}
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
		if err == nil && (s.Version == 0 || s.Ended() || s.Damage() != nil) {
			f.end(id) // what came back of it is not wanted any more
			continue
		}
		var refused []*request
		if err == nil && !fd.from().After(now) {
			refused, err = f.sendSome(ctx, now, s, fd)
		}
		if len(refused) > 0 {
			impossible.add(id, refused...)
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

// purgeAll takes off the queue what is to be taken off. A process that goes on
// then waits for what workers say they hold.
func (f *feeder) purgeAll(ctx context.Context, now time.Time) error {
	for len(f.purges) > 0 {
		id := f.purges[0]
		if err := f.work.Purge(ctx, id); err != nil {
			return fmt.Errorf("purge the work of process %q: %w", id, err)
		}
		f.purges = f.purges[1:]
		if fd := f.feeds[id]; fd != nil && fd.swept {
			fd.notBefore = now.Add(rollCall)
		}
	}
	return nil
}
