package orchestrator

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// question asks the orchestrator what it sees right now, on topicAsk. It is
// answered with a View on the topic ReplyTo, which begins with "reply.".
type question struct {
	ReplyTo string `json:"replyTo"`
	Process string `json:"process,omitempty"` // "": of all
}

// View is what an orchestrator sees right now. It is memory, made of heartbeats
// and of what the feeder sent: it is never stored, and a second later it is another.
// Each replica sees the processes of its shards; Client.Look puts together what
// they see.
type View struct {
	Certain  bool          `json:"certain"`       // it has listened for long enough to know who holds what
	Shards   queue.Shards  `json:"shards,string"` // whose processes it is about
	Replicas []ReplicaView `json:"replicas"`      // who sees this, by name

	Workers []WorkerView  `json:"workers"`
	Running []RunningTask `json:"running"`        // the longest running first; at most MaxRunning
	Pools   []PoolView    `json:"pools"`          // by name, "" first: those that have workers or work
	Queues  []QueueView   `json:"queues"`         // by process, of those that have not ended; at most 1000
	More    int           `json:"more,omitempty"` // processes that are not in Queues
}

// MaxRunning is how many tasks that run a View lists at most, so that it fits
// into a signal; and so it is with processes, and, of one, with ranges of tasks
// that wait to be sent.
const (
	MaxRunning = 2000
	maxQueues  = 1000
	maxUnsent  = 1000
)

// ReplicaView is an orchestrator that answered.
type ReplicaView struct {
	Replica string       `json:"replica"`
	Shards  queue.Shards `json:"shards,string"` // that it holds
	Version string       `json:"version,omitempty"`
}

// PoolView is how much work a pool has, and who is there to do it: the figures
// that say how many workers are wanted.
type PoolView struct {
	Pool    string        `json:"pool"` // "": the workers without one
	Workers int           `json:"workers"`
	Slots   int           `json:"slots"`   // tasks that they execute at a time
	Waiting int           `json:"waiting"` // tasks scheduled and not on the queue yet, that a worker could have now
	Out     int           `json:"out"`     // tasks on the queue or with workers
	Took    task.Duration `json:"took"`    // how long a task takes, as measured of late; 0: none has ended yet
	Backlog task.Duration `json:"backlog"` // Waiting and Out as time of one slot, by what their steps took
}

// WorkerView is a worker whose heartbeats come.
type WorkerView struct {
	Worker   string         `json:"worker"`
	Pool     string         `json:"pool,omitempty"`    // whose tasks it takes; "": those that name none
	AnyPool  bool           `json:"anyPool,omitempty"` // and those of pools that have no worker
	Slots    int            `json:"slots"`
	Handlers []string       `json:"handlers,omitempty"`
	Offer    task.Resources `json:"offer,omitzero"`     // what the tasks that it executes may need together
	Used     task.Resources `json:"used,omitzero"`      // what they do
	Holding  int            `json:"holding"`            // tasks
	Silent   task.Duration  `json:"silent"`             // since its last heartbeat
	Draining bool           `json:"draining,omitempty"` // it takes nothing more, and ends
}

// RunningTask is a task that a worker executes.
type RunningTask struct {
	Process    string        `json:"process"`
	Address    string        `json:"address"`
	Generation int           `json:"generation,omitempty"`
	Index      int           `json:"index"`
	Attempt    int           `json:"attempt"`
	Worker     string        `json:"worker"`
	Elapsed    task.Duration `json:"elapsed"`
	Timeout    task.Duration `json:"timeout,omitempty"` // 0: none
	Stale      bool          `json:"stale,omitempty"`   // its result will change nothing any more, unless the task is still open

	Progress float64 `json:"progress,omitempty"` // how far it says it is, from 0 to 1
	Message  string  `json:"message,omitempty"`  // what it says it is at
}

// QueueView is how much of a process waits where.
type QueueView struct {
	Process string        `json:"process"`
	Pending int           `json:"pending"`           // scheduled, not sent yet: they wait for others of the process
	Queued  int           `json:"queued"`            // messages on the work queue, held ones included
	Held    []HeldTasks   `json:"held,omitempty"`    // by workers; only if the process was asked for
	Unsent  []HeldTasks   `json:"unsent,omitempty"`  // what Pending counts, held by nobody; only if the process was asked for, and its beginning
	Late    int           `json:"late,omitempty"`    // tasks reported done when they were not open any more; those results were dropped
	Retries task.Duration `json:"retries,omitempty"` // until the next planned retry; 0: none

	Unattended []HeldTasks   `json:"unattended,omitempty"` // on the queue, in a pool that nobody serves; only if the process was asked for
	Refused    []RefusalView `json:"refused,omitempty"`    // by workers, of late; only if the process was asked for
}

// HeldTasks are tasks that a worker holds, executing or about to.
type HeldTasks struct {
	Worker     string      `json:"worker"`
	Address    string      `json:"address"`
	Generation int         `json:"generation,omitempty"`
	Attempt    int         `json:"attempt"`
	Tasks      task.Ranges `json:"tasks"`
	Why        string      `json:"why,omitempty"`      // unsent: what they wait for, unless it is only their turn
	Unserved   bool        `json:"unserved,omitempty"` // unsent: none of the workers that are there can execute them
}

// answerQuestion answers what it can: about the processes of its shards. A
// question that cannot be read, or whose asker wants the answer on a topic that
// is not for answers, is ignored.
func (o *Owner) answerQuestion(ctx context.Context, now time.Time, body []byte) {
	var q question
	if err := json.Unmarshal(body, &q); err != nil || !strings.HasPrefix(q.ReplyTo, replyPrefix) {
		o.Log.Warn("orchestrator: a question that cannot be read is ignored", "error", err)
		return
	}
	if q.Process != "" && !o.shards.Holds(q.Process) || o.shards == 0 {
		return // somebody else does, or will in a moment
	}
	if err := o.signal(ctx, q.ReplyTo, o.view(ctx, now, q.Process)); err != nil && ctx.Err() == nil {
		o.Log.Warn("orchestrator: an answer was not sent; the asker will ask again", "error", err)
	}
}

func (o *Owner) view(ctx context.Context, now time.Time, id string) View {
	v := View{
		Certain: o.running.certain(now), Shards: o.shards, Replicas: []ReplicaView{{o.members.name, o.shards, o.Version}},
		Pools: o.feeder.views(), Workers: []WorkerView{}, Running: []RunningTask{}, Queues: []QueueView{},
	}
	held := map[string][]HeldTasks{}
	for _, b := range o.running.workers {
		w := WorkerView{
			Worker: b.Worker, Pool: b.Pool, AnyPool: b.AnyPool, Slots: b.Slots, Handlers: b.Handlers,
			Offer: b.Offer, Used: b.Used, Silent: task.Duration(now.Sub(b.at)), Draining: b.Draining,
		}
		for _, h := range b.Holding {
			w.Holding += h.Tasks.Len()
			if id != "" && h.Process == id {
				held[id] = append(held[id], HeldTasks{Worker: b.Worker, Address: h.Address, Generation: h.Generation, Attempt: h.Attempt, Tasks: h.Tasks})
			}
		}
		v.Workers = append(v.Workers, w)
	}
	slices.SortFunc(v.Workers, func(a, b WorkerView) int { return cmp.Compare(a.Worker, b.Worker) })
	v.Running = o.executing(now, id)
	var open []string
	for other, s := range o.processes {
		if !s.Ended() && (id == "" || id == other) && o.shards.Holds(other) {
			open = append(open, other)
		}
	}
	slices.Sort(open)
	v.More = max(len(open)-maxQueues, 0)
	retries := o.timers.retries()
	for _, other := range open[:len(open)-v.More] {
		q := o.queueView(ctx, other)
		if due, waits := retries[other]; waits {
			q.Retries = task.Duration(max(due.Sub(now), 1))
		}
		q.Held = held[other]
		if id != "" {
			q.Unsent, q.Unattended = o.feeder.unsent(other), o.feeder.unattended(other)
			q.Refused = o.refusals.of(now, other)
		}
		v.Queues = append(v.Queues, q)
	}
	return v
}

// executing lists what workers execute, the longest running first: the view
// that the timeout manager reads.
func (o *Owner) executing(now time.Time, id string) []RunningTask {
	all := []RunningTask{}
	for b, h := range o.running.held() {
		s := o.processes[h.Process]
		if s == nil || id != "" && h.Process != id {
			continue
		}
		for _, r := range h.Running {
			all = append(all, RunningTask{
				Process: h.Process, Address: h.Address, Generation: h.Generation, Index: r.Index, Attempt: h.Attempt, Worker: b.Worker,
				Elapsed: r.Elapsed + task.Duration(now.Sub(b.at)), Timeout: task.Duration(s.Timeout(h.Address)),
				Stale:    s.Generation(h.Address) != h.Generation || !s.IsCurrent(h.Address, r.Index, h.Attempt),
				Progress: min(max(r.Progress, 0), 1), Message: r.Message[:min(len(r.Message), task.MaxMessage)],
			})
		}
	}
	slices.SortFunc(all, longestFirst)
	return all[:min(len(all), MaxRunning)]
}

func (o *Owner) queueView(ctx context.Context, id string) QueueView {
	q := QueueView{Process: id, Late: o.late[id], Pending: o.feeder.waiting(id)}
	if n, err := o.Work.Pending(ctx, id); err == nil {
		q.Queued = n
	}
	return q
}
