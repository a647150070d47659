package orchestrator

import (
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
	sent    map[int]sending
	took    time.Duration // a task takes, as measured of late; 0: none has ended yet
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

// sending is a task that is on the queue or with a worker.
type sending struct {
	generation int
	attempt    int
	at         time.Time
	missed     bool // nobody had it at the last look
}

// unmeasured is how long a task is taken to last while no such task has ended.
const unmeasured = 50 * time.Millisecond

// cost is how long a task of the row probably takes.
func (r *row) cost() time.Duration {
	if r.took > 0 {
		return r.took
	}
	return unmeasured
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

// isOut reports whether this very attempt is out already.
func (r *row) isOut(index int, e process.Enqueue) bool {
	s, ok := r.sent[index]
	return ok && s.attempt == e.Attempt && s.generation == e.Generation
}

// goOut notes that a task is out.
func (r *row) goOut(index int, s sending) {
	if _, again := r.sent[index]; !again {
		r.weigh(1)
	}
	r.sent[index] = s
}

// comeBack notes that tasks are not out any more: of those named, what accepts
// says yes to; nil: all. They may be any: a report names them.
func (r *row) comeBack(tasks task.Ranges, accepts func(index int, s sending) bool) {
	before := len(r.sent)
	if tasks.Len() <= before {
		for i := range tasks.All() {
			if s, ok := r.sent[i]; ok && (accepts == nil || accepts(i, s)) {
				delete(r.sent, i)
			}
		}
	} else {
		for i, s := range r.sent {
			if tasks.Contains(i) && (accepts == nil || accepts(i, s)) {
				delete(r.sent, i)
			}
		}
	}
	back := before - len(r.sent)
	r.weigh(-back)
	if r.account != nil {
		r.account.freed(back)
	}
}

// out is the tasks that are out, at whatever attempt.
func (r *row) out() task.Ranges {
	indexes := make([]int, 0, len(r.sent))
	for i := range r.sent {
		indexes = append(indexes, i)
	}
	return task.Of(indexes...)
}

// weigh adds tasks to what is out, or takes them off.
func (r *row) weigh(n int) {
	if r.account != nil && n != 0 {
		r.account.weigh(n, time.Duration(n)*r.cost())
		r.account.lane.use(r.needs, n)
	}
}

// reckon notes how long a task takes now.
func (r *row) reckon(took time.Duration) {
	before := r.cost()
	r.took = took
	if r.account != nil {
		r.account.weigh(0, time.Duration(len(r.sent))*(r.cost()-before))
	}
}

// settleIn moves what is out of the row to another account; nil: to none.
func (r *row) settleIn(a *account) {
	if r.account == a {
		return
	}
	r.weigh(-len(r.sent))
	r.account = a
	r.weigh(len(r.sent))
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
