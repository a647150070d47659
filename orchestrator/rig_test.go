package orchestrator

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
)

const lease = 10 * time.Second

// rig is an orchestrator on memory backends, driven from one goroutine with a
// clock of its own. The test plays the workers.
type rig struct {
	t       testing.TB
	ctx     context.Context
	now     time.Time
	store   *events.Store
	inbox   *memqueue.Sharded
	work    *memqueue.Queue
	bad     *memqueue.Queue
	signals queue.Signals
	options Options
	owner   *Owner
}

func newRig(t testing.TB) *rig {
	r := &rig{t: t, ctx: t.Context(), now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	newQueue := func() *memqueue.Queue {
		return memqueue.NewQueue(memqueue.Options{Lease: lease, Now: func() time.Time { return r.now }})
	}
	r.store, r.signals = events.New(memevents.New()), memqueue.NewSignals()
	r.inbox = memqueue.NewSharded(memqueue.Options{Lease: lease, Now: func() time.Time { return r.now }})
	r.work, r.bad = newQueue(), newQueue()
	r.options = Options{
		Events: r.store, Inbox: r.inbox, Work: r.work, Quarantine: r.bad, Signals: r.signals, First: true, Log: slog.New(slog.DiscardHandler),
	}
	r.restart()
	return r
}

// begun is a rig whose process "p" has begun.
func begun(t testing.TB, def definition.Definition, parts int) *rig {
	r := newRig(t)
	r.send("p", def, parts)
	r.step()
	return r
}

// restart drops the owner where it stands, as a crash does, and starts another.
func (r *rig) restart() {
	if r.owner != nil {
		r.owner.Close()
	}
	r.owner = r.newOwner()
}

// on has another owner begin on another event store.
func (r *rig) on(driver events.Driver) {
	r.store = events.New(driver)
	r.options.Events = r.store
	r.restart()
}

func (r *rig) newOwner() *Owner {
	r.options.Signals = unheard{r.signals, memqueue.NewSignals()}
	o, err := NewOwner(r.options)
	require.NoError(r.t, err)
	return o
}

// unheard is signals over which an owner hears no other one: it believes that it
// is alone.
type unheard struct {
	queue.Signals
	own queue.Signals
}

func (u unheard) Publish(ctx context.Context, topic string, body []byte) error {
	if topic == TopicReplica {
		return u.own.Publish(ctx, topic, body)
	}
	return u.Signals.Publish(ctx, topic, body)
}

func (u unheard) Subscribe(topic string) (queue.Listener, error) {
	if topic == TopicReplica {
		return u.own.Subscribe(topic)
	}
	return u.Signals.Subscribe(topic)
}

func (r *rig) step() {
	r.t.Helper()
	_, err := r.owner.Step(r.ctx, r.now)
	require.NoError(r.t, err)
}

func (r *rig) pass(d time.Duration) { r.now = r.now.Add(d) }

func newBlobs(t testing.TB) *blob.Store {
	blobs, err := blob.Open(t.Context(), "mem://")
	require.NoError(t, err)
	t.Cleanup(func() { _ = blobs.Close() })
	return blobs
}

func fanOut(options ...func(*definition.Step)) definition.Definition {
	b := func(n string) definition.Binding { return definition.Binding{Local: n, Data: n} }
	s := definition.Step{
		Address: "work", Run: task.Run{Handler: "any"}, Each: &definition.Each{Binding: b("in")}, Out: definition.Outputs(b("out")),
		Retry: definition.Retry{Attempts: 2, Backoff: definition.Backoff{Min: task.Duration(time.Minute), Max: task.Duration(time.Minute)}},
	}
	for _, o := range options {
		o(&s)
	}
	return definition.Definition{Name: "fan-out", Inputs: []string{"in"}, Steps: []definition.Step{s}, Outputs: []string{"out"}}
}

// ones is so many parts.
func ones(n int) task.Dataset {
	return task.Inline(slices.Repeat([]task.Part{{Value: json.RawMessage(`1`)}}, n))
}

func startOf(id string, def definition.Definition, in task.Dataset) process.StartProcess {
	return process.StartProcess{ID: id, Definition: def, Inputs: map[string]task.Dataset{"in": in}}
}

// send puts a start into the inbox; its answer comes on the listener.
func (r *rig) send(id string, def definition.Definition, parts int) queue.Listener {
	r.t.Helper()
	return r.demand(id, startOf(id, def, ones(parts)), "reply."+id)
}

// demand puts a command into the inbox, and listens for its answer.
func (r *rig) demand(id string, c process.Command, replyTo string) queue.Listener {
	r.t.Helper()
	replies, err := r.signals.Subscribe(replyTo)
	require.NoError(r.t, err)
	r.t.Cleanup(replies.Stop)
	r.give(id, c, replyTo)
	return replies
}

// give puts a command into the inbox; replyTo "": it is of who wants no answer.
func (r *rig) give(id string, c process.Command, replyTo string) {
	r.t.Helper()
	message, err := commandMessage(id, c, replyTo)
	require.NoError(r.t, err)
	require.NoError(r.t, r.inbox.Send(r.ctx, message))
}

func (r *rig) put(id string, e task.Envelope) {
	r.t.Helper()
	body, err := json.Marshal(e)
	require.NoError(r.t, err)
	require.NoError(r.t, r.inbox.Send(r.ctx, queue.Message{Key: id, Body: body}))
}

func (r *rig) report(id string, results ...task.Result) {
	r.t.Helper()
	r.put(id, task.Envelope{Report: &task.Report{Process: id, Worker: "w1", Results: results}})
}

func done(tasks task.Ranges) task.Result {
	return task.Result{Address: "work", Attempt: 1, Tasks: tasks, Outcome: task.Done}
}

func failed(tasks task.Ranges, why string, verdict task.Verdict) task.Result {
	return task.Result{Address: "work", Attempt: 1, Tasks: tasks, Outcome: task.Failed, Failure: &task.Failure{Error: why, Verdict: verdict}}
}

// held is the heartbeat of a worker that holds tasks.
func held(worker, id string, tasks task.Ranges) task.Heartbeat {
	return task.Heartbeat{Worker: worker, Holding: []task.Hold{{Process: id, Address: "work", Attempt: 1, Tasks: tasks}}}
}

// received takes all there is on the work queue.
func (r *rig) received() []task.Work {
	r.t.Helper()
	deliveries, err := r.work.Receive(r.ctx, 100_000, 0)
	require.NoError(r.t, err)
	var all []task.Work
	for _, d := range deliveries {
		var w task.Work
		require.NoError(r.t, json.Unmarshal(d.Body, &w))
		all = append(all, w)
	}
	require.NoError(r.t, r.work.Ack(r.ctx, deliveries...))
	return all
}

func (r *rig) state(id string) process.State {
	r.t.Helper()
	s, err := Load(r.ctx, r.store, id)
	require.NoError(r.t, err)
	return s
}

// happened is the history of a process.
func happened(t testing.TB, from Commits, id string) (all []process.Event) {
	t.Helper()
	for e, err := range History(t.Context(), from, id) {
		require.NoError(t, err)
		event, err := decode(e.Record)
		require.NoError(t, err)
		all = append(all, event)
	}
	return all
}

// commitTo stores events of a process, of which so many are there.
func commitTo(t testing.TB, store *events.Store, id string, there uint64, commitID string, all ...process.Event) {
	t.Helper()
	records, err := appendRecords(nil, id, all)
	require.NoError(t, err)
	_, err = store.Append(t.Context(), streamPrefix+id, events.Exactly(there), commitID, records...)
	require.NoError(t, err)
}

func (r *rig) beat(b task.Heartbeat) {
	r.t.Helper()
	if b.Handlers == nil {
		b.Handlers = []string{"any"}
	}
	body, err := json.Marshal(b)
	require.NoError(r.t, err)
	require.NoError(r.t, r.signals.Publish(r.ctx, task.TopicHeartbeat, body))
}

func indexes(work []task.Work) task.Ranges {
	var all task.Ranges
	for _, w := range work {
		all = all.Union(w.Tasks)
	}
	return all
}
