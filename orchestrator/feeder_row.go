package orchestrator

import (
	"cmp"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// row is the tasks of one step of a process: those that wait to be sent, in
// order, and those that are out.
type row struct {
	feed    *feed
	address string
	pending []queued
	waiting int // tasks in pending
	out     outs
	took    time.Duration // a task takes, as measured of late; 0: none has ended yet
	guess   time.Duration // what tasks of its handler take elsewhere, if that is short, while none has ended here; 0: not known
	single  bool          // a message of several was too large
	bucket  bucket

	stands standing
	wake   time.Time // asleep: until when
	since  time.Time // it has been cramped, without sending anything since; zero: it is not

	// By the definition, as it was when the row was placed; before, account is nil.
	account *account
	pool    *pool
	handler string
	needs   task.Resources
	rate    definition.Rate
	ranges  bool // a message may carry several of its tasks
}

// standing is where a row stands: in one place at a time. Lists of rows may
// name a row that has left; who reads them looks at this.
type standing uint8

const (
	nowhereYet standing = iota // it has nothing to send, or is being moved
	isFresh                    // in feeder.fresh
	isReady                    // in account.ready
	isAsleep                   // in feeder.sleepers: it waits for a time
	isCramped                  // in lane.cramped: what its tasks need is not free
	isAside                    // in feeder.aside
)

// queued is tasks to be sent, of which the first are gone: offset of the first range.
type queued struct {
	process.Enqueue
	offset int
	trace  string // that their schedule is; "": that of the process
	looked bool   // nothing that ran earlier is of use for them
}

// unmeasured is how long a task is taken to last while no such task has ended.
const unmeasured = 50 * time.Millisecond

// cost is how long a task of the row probably takes.
func (r *row) cost() time.Duration {
	return cmp.Or(r.took, r.guess, unmeasured)
}

// averaged is a moving average after n more of the size.
func averaged(before, size time.Duration, n int) time.Duration {
	if before == 0 {
		return size
	}
	return max(before+time.Duration(float64(size-before)*float64(n)/float64(n+7)), time.Microsecond)
}

func (r *row) push(q queued) {
	if n := q.Tasks.Len(); n > 0 {
		r.pending, r.waiting = append(r.pending, q), r.waiting+n
	}
}

func (r *row) pushFront(q queued) {
	if n := q.Tasks.Len(); n > 0 {
		r.pending, r.waiting = append([]queued{q}, r.pending...), r.waiting+n
	}
}

// take takes out the first n tasks, or fewer: those of one attempt. It copies
// nothing of the rest, which may be a million ranges.
func (r *row) take(n int) queued {
	q := &r.pending[0]
	e := *q
	e.Tasks, e.offset = nil, 0
	for n > 0 && len(q.Tasks) > 0 {
		first := q.Tasks[0]
		count := min(n, first.Count-q.offset)
		e.Tasks = append(e.Tasks, task.Range{First: first.First + q.offset, Count: count})
		n, r.waiting = n-count, r.waiting-count
		if q.offset += count; q.offset == first.Count {
			q.Tasks, q.offset = q.Tasks[1:], 0
		}
	}
	if len(q.Tasks) == 0 {
		r.pending = r.pending[1:]
	}
	return e
}

// left is what is to be sent of the first attempt that is pending.
func (q queued) left() task.Ranges {
	if q.offset == 0 {
		return q.Tasks
	}
	first := q.Tasks[0]
	return append(task.Ranges{{First: first.First + q.offset, Count: first.Count - q.offset}}, q.Tasks[1:]...)
}

// goOut notes that tasks are out, alike. At another attempt they are out no more.
func (r *row) goOut(tasks task.Ranges, s sending) {
	r.takeOff(tasks, nil)
	for _, one := range tasks {
		r.out.add(one, s)
	}
	n := tasks.Len()
	r.weigh(n, n*s.parts)
}

// comeBack notes that tasks are not out any more: of those named, what accepts
// says yes to; nil: all. It returns them.
func (r *row) comeBack(tasks task.Ranges, accepts func(s sending) bool) task.Ranges {
	back, parts := r.takeOff(tasks, accepts)
	if r.account != nil {
		r.account.freed(parts)
	}
	return back
}

// takeOff takes tasks off what is out, which were so many parts of messages.
func (r *row) takeOff(tasks task.Ranges, accepts func(s sending) bool) (off task.Ranges, parts int) {
	n := 0
	r.out.remove(tasks, accepts, func(gone run) {
		n, parts = n+gone.Count, parts+gone.Count*gone.parts
		off = append(off, gone.Range)
	})
	r.weigh(-n, -parts)
	return off.Joined(), parts
}

// weigh adds tasks to what is out, or takes them off; they are so many parts of
// messages.
func (r *row) weigh(n, parts int) {
	if r.account != nil && n != 0 {
		r.account.weigh(parts, time.Duration(n)*r.cost())
		r.account.lane.use(r.needs, n)
	}
}

// reckon notes how long a task takes now.
func (r *row) reckon(took time.Duration) {
	before := r.cost()
	r.took = took
	if r.account != nil {
		r.account.weigh(0, time.Duration(r.out.tasks)*(r.cost()-before))
	}
}

// settleIn moves what is out of the row to another account; nil: to none.
func (r *row) settleIn(a *account) {
	if r.account == a {
		return
	}
	parts := 0
	for _, o := range r.out.runs {
		parts += o.Count * o.parts
	}
	r.weigh(-r.out.tasks, -parts)
	r.account = a
	r.weigh(r.out.tasks, parts)
}

// leave takes the row away from where it stands.
func (r *row) leave() {
	if r.account != nil {
		r.account.lane.needs.pass(r)
	}
	if r.stands == isReady {
		r.account.dismiss(r)
	}
	r.stands, r.since = nowhereYet, time.Time{}
}
