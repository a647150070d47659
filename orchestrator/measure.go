package orchestrator

import (
	"time"

	"github.com/deedrun/deed/internal/metrics"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// measure counts what has happened to a process: the events between two states.
func (o *Owner) measure(before process.Status, after *process.State, happened []process.Event) {
	if o.Metrics == nil {
		return
	}
	for _, e := range happened {
		switch e := e.(type) {
		case process.TasksScheduled:
			o.Metrics.Tasks(metrics.TasksScheduled, e.Tasks.Len())
		case process.TasksConfirmed:
			o.Metrics.Tasks(metrics.TasksConfirmed, e.Tasks.Len())
		case process.TasksReused:
			o.Metrics.Tasks(metrics.TasksReused, e.Tasks.Len())
		case process.TasksFailed:
			o.Metrics.Tasks(failedBy(e.Verdict), e.Tasks.Len())
		case process.TasksLost:
			o.Metrics.Tasks(metrics.TasksLost, e.Tasks.Len())
		case process.TaskTimedOut:
			o.Metrics.Tasks(metrics.TasksTimedOut, 1)
		case process.TasksSkipped:
			o.Metrics.Tasks(metrics.TasksSkipped, e.Tasks.Len())
		case process.StepCompleted:
			o.Metrics.StepCompleted(after.StepTook(e.Address))
		}
		if status, at := statusBy(before, e); status != "" && status != before {
			o.Metrics.Became(string(status), at.Sub(after.SetOffAt))
			before = status
		}
	}
}

// failedBy is what became of tasks that a worker reports as failed. Mostly it is
// the worker that ends what runs for too long, and only for one that does not the
// timeout manager.
func failedBy(verdict task.Verdict) metrics.TaskEvent {
	if verdict == task.TimedOut {
		return metrics.TasksTimedOut
	}
	return metrics.TasksFailed
}

// statusBy is the status that an event gives a process, and when; "": none.
func statusBy(before process.Status, e process.Event) (process.Status, time.Time) {
	switch e := e.(type) {
	case process.ProcessStarted:
		return process.Running, e.At
	case process.ProcessResumed:
		return process.Running, e.At
	case process.ProcessRetried:
		return goingAgain(before), e.At
	case process.ProcessRestarted:
		return goingAgain(before), e.At
	case process.ProcessPaused:
		return process.Paused, e.At
	case process.ProcessCompleted:
		return process.Completed, e.At
	case process.ProcessFailed:
		return process.Failed, e.At
	case process.ProcessCancelled:
		return process.Cancelled, e.At
	}
	return "", time.Time{}
}

// goingAgain is the status of what is made to go again: one that is paused stays so.
func goingAgain(before process.Status) process.Status {
	if before == process.Paused {
		return before
	}
	return process.Running
}

// taken is what came out of the inbox. It is counted once that is acknowledged:
// until then all of it comes again, however long a backend is away.
type taken struct {
	reports, commands, unusable int // messages
	returned, unserved          int // tasks
}

// add notes a message that led to requests; a report may lead to none.
func (t *taken) add(requests []*request) {
	for _, r := range requests {
		switch r.command.(type) {
		case process.ConfirmTasks, process.ReuseTasks, process.FailTasks, process.LoseTasks:
		default:
			t.commands++
			return
		}
	}
	t.reports++
}

func (t *taken) count(m *metrics.Orchestrator) {
	m.Messages(metrics.Report, t.reports)
	m.Messages(metrics.Command, t.commands)
	m.Messages(metrics.Unusable, t.unusable)
	m.Tasks(metrics.TasksReturned, t.returned)
	m.Tasks(metrics.TasksUnserved, t.unserved)
}

// sights is what the owner remembers between two looks at what there is to see.
type sights struct {
	looked time.Time
	last   map[string]sight // by process that runs
}

// sight is a process as it was seen last.
type sight struct {
	version uint64
	since   time.Time // nothing has happened to it
}

// lookEvery is how often the owner leaves what it sees for whoever scrapes. A
// look goes once over the open processes and what they have to send.
const lookEvery = time.Second

// look leaves what is to be seen now for whoever scrapes.
func (o *Owner) look(now time.Time) {
	if o.Metrics == nil || now.Sub(o.sights.looked) < lookEvery {
		return
	}
	o.sights.looked = now
	seen := metrics.Seen{Shards: o.shards.Len(), Replicas: 1 + len(o.members.names())}
	running, retries := o.running.byProcess(), o.timers.retries()
	last := map[string]sight{}
	for id, s := range o.processes {
		switch {
		case s.Ended() || !o.shards.Holds(id):
			continue
		case s.Status == process.Paused:
			seen.Paused++
			continue
		}
		seen.Running++
		before, known := o.sights.last[id]
		_, planned := retries[id]
		if !known || before.version != s.Version || planned || len(running[id]) > 0 {
			before = sight{version: s.Version, since: now}
		}
		last[id] = before
		seen.Quiet = max(seen.Quiet, now.Sub(before.since))
	}
	o.sights.last = last
	for _, p := range o.feeder.pictures(o.shards.Holds) {
		seen.Pools = append(seen.Pools, *p)
	}
	o.Metrics.See(&seen)
}

// pictures is every pool that has workers or work, for whoever scrapes.
func (f *feeder) pictures(mine func(id string) bool) map[string]*metrics.Pool {
	pools := map[string]*metrics.Pool{}
	pool := func(name string) *metrics.Pool {
		if pools[name] == nil {
			pools[name] = &metrics.Pool{Name: name}
		}
		return pools[name]
	}
	for _, b := range f.running.workers {
		p := pool(poolName(b.Pool))
		p.Workers++
		p.Slots += b.Slots
		if b.Draining {
			p.Draining++
		}
	}
	for _, v := range f.views() {
		pool(v.Pool).Backlog = time.Duration(v.Backlog)
	}
	for _, fd := range f.feeds {
		for _, r := range fd.rows {
			if r.pool == nil {
				continue
			}
			p := pool(r.pool.name)
			p.Queued += r.out.tasks
			if r.stands == isAside {
				p.Unserved += r.waiting
			} else {
				p.Waiting += r.waiting
			}
		}
	}
	f.running.each(func(_ beat, h task.Hold) {
		fd := f.feeds[h.Process]
		if fd == nil || !mine(h.Process) || fd.rows[h.Address] == nil || fd.rows[h.Address].pool == nil {
			return
		}
		p := pool(fd.rows[h.Address].pool.name)
		p.Running += len(h.Running)
		p.Queued = max(p.Queued-len(h.Running), 0)
	})
	return pools
}
