package deed_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

var (
	seeds = flag.Int("seeds", 150, "worlds that the test of the whole runs")
	seed  = flag.Uint64("seed", 0, "run only the world of this seed")
)

// A world is all of deed on memory backends: owners, workers and a clock, all
// stepped from one goroutine by one source of randomness, so that a seed that
// fails does so again.
type world struct {
	t       *testing.T
	ctx     context.Context
	random  *rand.Rand
	now     time.Time
	store   *events.Store
	inbox   queue.Queue
	work    queue.Queue
	bad     queue.Queue
	signals queue.Signals
	blobs   *blob.Store
	owner   *orchestrator.Owner
	rival   *orchestrator.Owner // a second one, that believes it is alone
	workers []*actor
	names   int
	log     []string
	ran     map[string]int
}

// actor is a worker, and until when it does nothing: a zombie in the making.
type actor struct {
	*worker.Worker
	frozen time.Time
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, ctx: t.Context(), random: rand.New(rand.NewPCG(seed, 1)),
		now:   time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
		store: events.New(memevents.New()), signals: memqueue.NewSignals(), ran: map[string]int{},
	}
	newQueue := func() queue.Queue {
		return memqueue.NewQueue(memqueue.Options{Lease: 10 * time.Second, Now: func() time.Time { return w.now }})
	}
	w.inbox, w.work, w.bad = newQueue(), newQueue(), newQueue()
	var err error
	w.blobs, err = blob.Open(w.ctx, "mem://")
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.blobs.Close() })
	w.owner = w.newOwner()
	for range 3 {
		w.workers = append(w.workers, w.newWorker())
	}
	return w
}

func (w *world) newOwner() *orchestrator.Owner {
	o, err := orchestrator.NewOwner(orchestrator.Options{
		Events: w.store, Inbox: w.inbox, Work: w.work, Quarantine: w.bad, Signals: w.signals,
		Window: 8, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(w.t, err)
	return o
}

func (w *world) newWorker() *actor {
	w.names++
	name := fmt.Sprintf("w%d", w.names)
	nonces := 0
	made, err := worker.New(worker.Options{
		Name: name, Work: w.work, Inbox: w.inbox, Signals: w.signals, Blobs: w.blobs, Quarantine: w.bad,
		Registry: w.handlers(), Slots: 2, Log: slog.New(slog.DiscardHandler),
		Nonce: func() string { nonces++; return fmt.Sprintf("%sn%d", name, nonces) },
	})
	require.NoError(w.t, err)
	return &actor{Worker: made}
}

// handlers add up numbers: split writes each under a key, sum adds those of a
// bucket, total adds the sums. One execution in eight fails.
func (w *world) handlers() *worker.Registry {
	reg := worker.NewRegistry()
	handle := func(name string, do func(ctx context.Context, t *worker.Task) error) {
		worker.Handle(reg, name, func(ctx context.Context, t *worker.Task) error {
			w.ran[t.ID()]++
			if w.random.IntN(8) == 0 {
				return fmt.Errorf("out of luck")
			}
			return do(ctx, t)
		})
	}
	handle("split", func(_ context.Context, t *worker.Task) error {
		n, err := sum(t, "numbers")
		if err != nil {
			return err
		}
		return writeNumber(t, "keyed", fmt.Sprintf("k%d", n%5), n)
	})
	handle("sum", func(_ context.Context, t *worker.Task) error {
		n, err := sum(t, "keyed")
		if err != nil {
			return err
		}
		return writeNumber(t, "sums", "", n)
	})
	handle("total", func(_ context.Context, t *worker.Task) error {
		n, err := sum(t, "sums")
		if err != nil {
			return err
		}
		return writeNumber(t, "total", "", n)
	})
	return reg
}

func sum(t *worker.Task, name string) (int, error) {
	total := 0
	for p, err := range t.Parts(name) {
		if err != nil {
			return 0, err
		}
		in, err := p.Open()
		if err != nil {
			return 0, err
		}
		data, err := io.ReadAll(in)
		if err := errors.Join(err, in.Close()); err != nil {
			return 0, err
		}
		var n int
		if err := json.Unmarshal(data, &n); err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

func writeNumber(t *worker.Task, name, key string, n int) error {
	out, err := t.CreateKeyed(name, key)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(out, n); err != nil {
		return err
	}
	return out.Close()
}

var additions = deed.MustParse(`
deed: v1
name: additions
inputs: [numbers]
steps:
  split: {run: split, each: numbers, out: [keyed], retry: {attempts: 50, backoff: 1s..2s}}
  sum:   {run: sum, each: keyed by key into 3, out: [sums], retry: {attempts: 50, backoff: 1s..2s}, parallelism: 2}
  total: {run: total, in: [sums], out: [total], retry: {attempts: 50, backoff: 1s..2s}}
outputs: [total]
`)

func (w *world) submit(id string, numbers int) {
	w.t.Helper()
	def, faults := definition.Resolve(additions, nil, nil, nil)
	require.Empty(w.t, faults)
	parts := make([]task.Part, numbers)
	for i := range parts {
		parts[i] = task.Part{Value: json.RawMessage(fmt.Sprint(i))}
	}
	command, err := process.EncodeCommand(process.StartProcess{ID: id, Definition: def, Inputs: map[string]task.Dataset{"numbers": task.Inline(parts)}})
	require.NoError(w.t, err)
	body, err := json.Marshal(task.Envelope{Command: command})
	require.NoError(w.t, err)
	for range 1 + w.random.IntN(2) { // a person who asks twice
		require.NoError(w.t, w.inbox.Send(w.ctx, queue.Message{Key: id, Body: body}))
	}
}

// step lets one thing happen.
func (w *world) step() {
	i := w.random.IntN(len(w.workers))
	a := w.workers[i]
	switch x := w.random.IntN(1000); {
	case x < 420:
		w.stepOwner(w.owner, "owner")
	case x < 900:
		if w.now.Before(a.frozen) {
			return
		}
		_, err := a.Step(w.ctx, w.now)
		w.say("worker %d: %v", i, err)
	case x < 960:
		w.now = w.now.Add(time.Duration(w.random.IntN(1500)) * time.Millisecond)
		w.say("the clock: %s", w.now.Format(time.TimeOnly))
	case x < 970:
		w.say("worker %d dies", i)
		w.workers[i] = w.newWorker()
	case x < 978:
		w.say("worker %d stands still", i)
		a.frozen = w.now.Add(time.Duration(w.random.IntN(30)) * time.Second)
	case x < 984:
		w.say("the owner dies")
		w.owner.Close()
		w.owner = w.newOwner()
	case x < 988:
		w.say("a rival begins")
		if w.rival != nil {
			w.rival.Close()
		}
		w.rival = w.newOwner()
	case x < 996:
		if w.rival != nil {
			w.stepOwner(w.rival, "rival")
		}
	default:
		w.say("worker %d leaves", i)
		a.Drain()
		for range 200 {
			if next, err := a.Step(w.ctx, w.now); err == nil && next.IsZero() {
				break
			}
		}
		w.workers[i] = w.newWorker()
	}
}

func (w *world) stepOwner(o *orchestrator.Owner, who string) {
	_, err := o.Step(w.ctx, w.now)
	w.say("%s: %v", who, err)
}

func (w *world) say(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

// run goes on until the processes have ended.
func (w *world) run(ids ...string) map[string]process.State {
	w.t.Helper()
	const most = 60_000
	states := map[string]process.State{}
	for n := range most {
		w.step()
		if n%50 != 0 {
			continue
		}
		for _, id := range ids {
			s, err := orchestrator.Load(w.ctx, w.store, id)
			require.NoError(w.t, err)
			require.NoError(w.t, s.Damage())
			if s.Ended() {
				states[id] = s
			}
		}
		if len(states) == len(ids) {
			return states
		}
	}
	w.t.Fatalf("after %d steps the processes have not ended; the last of them:\n%v", most, w.log[len(w.log)-100:])
	return nil
}

func TestInAnyWorldEachTaskIsConfirmedOnceAndTheAnswerIsRight(t *testing.T) {
	first, last := uint64(1), uint64(*seeds)
	if *seed != 0 {
		first, last = *seed, *seed
	}
	for s := first; s <= last; s++ {
		if !t.Run(fmt.Sprintf("seed %d", s), func(t *testing.T) { liveThrough(t, s) }) {
			t.Fatalf("to see it again: go test -run InAnyWorld -seed %d .", s)
		}
	}
}

func liveThrough(t *testing.T, seed uint64) {
	w := newWorld(t, seed)
	numbers := 1 + w.random.IntN(30)
	w.submit("a", numbers)
	w.submit("b", 3)
	for id, state := range w.run("a", "b") {
		n := map[string]int{"a": numbers, "b": 3}[id]
		if state.Status == process.Failed { // only ever by the budget of losses
			require.Contains(t, state.Failure.Reason, "lost with its worker")
			continue
		}
		w.confirmedOnce(id)
		total, ok := state.Data("total")
		require.True(t, ok)
		require.Len(t, total.Parts, 1)
		in, err := w.blobs.OpenPart(w.ctx, total.Parts[0])
		require.NoError(t, err)
		text, err := io.ReadAll(in)
		require.NoError(t, err)
		require.NoError(t, in.Close())
		require.Equal(t, fmt.Sprint(n*(n-1)/2), string(text))
		for i := range n {
			require.NotZero(t, w.ran[fmt.Sprintf("%s/split[%d]", id, i)])
		}
	}
	bad, err := w.bad.Receive(w.ctx, 10, 0)
	require.NoError(t, err)
	require.Empty(t, bad, "nothing goes to quarantine")
}

func (w *world) confirmedOnce(id string) {
	w.t.Helper()
	confirmed := map[string]bool{}
	for e, err := range orchestrator.History(w.ctx, w.store, id) {
		require.NoError(w.t, err)
		event, err := process.Decode(process.Stored{Type: e.Type, Schema: e.Schema, Data: e.Data})
		require.NoError(w.t, err)
		if c, ok := event.(process.TasksConfirmed); ok {
			for i := range c.Tasks.All() {
				name := fmt.Sprintf("%s[%d]", c.Address, i)
				require.False(w.t, confirmed[name], "%s is confirmed twice", name)
				confirmed[name] = true
			}
		}
	}
}

func TestTheSameSeedGivesTheSameWorld(t *testing.T) {
	history := func() string {
		w := newWorld(t, 42)
		w.submit("a", 12)
		w.run("a")
		var b []byte
		for e, err := range orchestrator.History(w.ctx, w.store, "a") {
			require.NoError(t, err)
			b = fmt.Appendf(b, "%s %s\n", e.Type, e.Data)
		}
		return string(b)
	}
	require.Equal(t, history(), history())
}
