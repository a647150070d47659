package orchestrator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/deedrun/deed/queue"
)

// rollCall is how long workers have to say what they hold, before what was taken
// off the queue is sent again.
const rollCall = time.Second

// feeder turns scheduled tasks into messages on the work queue, and keeps the
// queue short, so that who comes late need not wait for what came before. It
// was Lokad's receptor: what it still holds is derived from the state
// (process.Resume) and never stored.
//
// A task goes to a lane of the queue by the pool of its step ([pool]); a lane
// takes what its workers do soon ([lane]); processes share a lane by credits
// ([account]). The tasks of a step of a process wait in a [row], in one place at
// a time: see standing. Nothing here walks all that waits or is out in a step.
type feeder struct {
	work     queue.Queue
	most     int  // messages out a lane
	alone    bool // each task travels in a message of its own
	replicas int  // that feed the same lanes, this one included
	running  *running

	feeds    map[string]*feed
	lanes    map[string]*lane
	pools    map[string]*pool
	kins     map[string]*kin
	fresh    []*row   // to be placed, when they stand there still
	aside    []*row   // nobody can execute them; looked at again when workers change
	sleepers sleepers // rows that wait for a time
	purges   []string // processes whose messages are to be removed from the queue
	seen     int      // the version of running that pools and lanes are made of
	looked   time.Time
	accounts int  // made so far
	posted   int  // tasks sent so far
	roll     bool // workers are to be asked what they hold
}

// feed is the feeder's share of a process.
type feed struct {
	id       string
	rows     map[string]*row
	accounts map[string]*account // by lane

	// swept says that what was on the queue is gone, so that nothing counts as
	// sent but what workers hold. They are given until notBefore to say so.
	swept     bool
	notBefore time.Time
}

func newFeeder(work queue.Queue, most int, running *running) *feeder {
	return &feeder{
		work: work, most: most, replicas: 1, running: running, seen: -1,
		feeds: map[string]*feed{}, lanes: map[string]*lane{}, pools: map[string]*pool{}, kins: map[string]*kin{},
	}
}

func (f *feeder) feed(id string) *feed {
	if f.feeds[id] == nil {
		f.feeds[id] = &feed{id: id, rows: map[string]*row{}, accounts: map[string]*account{}}
	}
	return f.feeds[id]
}

func (f *feeder) row(id, address string) *row {
	fd := f.feed(id)
	if fd.rows[address] == nil {
		fd.rows[address] = &row{feed: fd, address: address}
	}
	return fd.rows[address]
}

// find is a row that there is; nil: there is none.
func (f *feeder) find(id, address string) *row {
	if fd := f.feeds[id]; fd != nil {
		return fd.rows[address]
	}
	return nil
}

// add takes tasks to be sent. Those that are out at this attempt already are
// passed over when their turn comes: see resend.
func (f *feeder) add(id string, q queued) {
	r := f.row(id, q.Address)
	r.push(q)
	f.freshen(r)
}

// freshen has a row with something to send placed by what its process is now,
// unless it stands somewhere.
func (f *feeder) freshen(r *row) {
	if r.stands == nowhereYet && r.waiting > 0 {
		r.stands = isFresh
		f.fresh = append(f.fresh, r)
	}
}

// forget drops what is pending: it is about to be derived anew.
func (f *feeder) forget(id string) {
	if fd := f.feeds[id]; fd != nil {
		for _, r := range fd.rows {
			r.pending, r.waiting = nil, 0
			r.leave()
		}
	}
}

// end drops everything of a process that has ended.
func (f *feeder) end(id string) {
	fd := f.feeds[id]
	if fd == nil {
		return
	}
	for _, r := range fd.rows {
		r.leave()
		r.settleIn(nil)
	}
	for _, a := range fd.accounts {
		a.close()
	}
	delete(f.feeds, id)
}

// letGo forgets the processes of shards. What is on the work queue of them
// stays there: the next holder sweeps it.
func (f *feeder) letGo(shards queue.Shards) {
	for id := range f.feeds {
		if shards.Holds(id) {
			f.end(id)
		}
	}
	f.purges = slices.DeleteFunc(f.purges, shards.Holds)
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
	for _, r := range fd.rows {
		r.comeBack(r.out.all(), nil)
		r.leave()
		f.freshen(r)
	}
	f.purge(id)
}

func (f *feeder) purge(id string) {
	if !slices.Contains(f.purges, id) {
		f.purges = append(f.purges, id)
	}
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

// next is when there is something to send, if nothing comes in before.
func (f *feeder) next(now time.Time) (time.Time, bool) {
	if len(f.purges) > 0 || len(f.fresh) > 0 || f.seen != f.running.version {
		return now, true
	}
	first, waits := f.sleepers.next()
	for _, l := range f.lanes {
		at, ok := l.next(now)
		if ok && (!waits || at.Before(first)) {
			first, waits = at, true
		}
	}
	return first, waits
}
