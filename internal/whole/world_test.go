package whole_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/worker"
)

var (
	seeds = flag.Int("seeds", 150, "worlds that the test of the whole runs")
	seed  = flag.Uint64("seed", 0, "run only the world of this seed")
)

// A world is all of deed on memory backends: owners, workers, persons and a
// clock, all stepped from one goroutine by one source of randomness, so that a
// seed that fails does so again.
type world struct {
	ctx     context.Context
	random  *rand.Rand
	now     time.Time
	store   *events.Store
	inbox   *memqueue.Sharded // of those who only send
	work    *memqueue.Queue
	bad     *memqueue.Queue
	signals queue.Signals
	blobs   *blob.Store
	owners  []*replica
	rival   *orchestrator.Owner // one more, that believes it is alone and reads what the first one gets
	workers []*actor
	persons persons
	steady  bool // the owner never dies, so that nothing is cured by a takeover
	many    bool // owners come and go
	settled bool // they do no more: whatever is stuck now stays so
	calm    bool // nothing goes wrong by chance
	offers  func() *worker.Registry
	names   int
	log     []string
	ran     map[string]int // executions, by the name of the task
}

// actor is a worker, and until when it does nothing: a zombie in the making.
type actor struct {
	*worker.Worker
	frozen time.Time
}

// newWorld is a world whose events are in memory.
func newWorld(ctx context.Context, seed uint64) *world {
	w := newWorldOver(ctx, seed, memevents.New())
	w.people()
	return w
}

// newWorldOver is a world without people, whose events are wherever the driver
// keeps them. It panics where memory cannot fail.
func newWorldOver(ctx context.Context, seed uint64, driver events.Driver) *world {
	w := &world{
		ctx: ctx, random: rand.New(rand.NewPCG(seed, 1)),
		steady:  seed%4 == 2,
		many:    seed%4 >= 3 || seed%8 == 1,
		now:     time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
		signals: memqueue.NewSignals(), ran: map[string]int{},
	}
	w.offers = w.handlers
	w.store = events.New(&flaky{Driver: driver, world: w})
	o := memqueue.Options{Lease: 10 * time.Second, Now: func() time.Time { return w.now }}
	w.inbox, w.work, w.bad = memqueue.NewSharded(o), memqueue.NewQueue(o), memqueue.NewQueue(o)
	w.blobs = must(blob.Open(w.ctx, "mem://"))
	return w
}

// people are an owner and three workers.
func (w *world) people() {
	w.owners = []*replica{w.newReplica(true)}
	for range 3 {
		w.workers = append(w.workers, w.newWorker())
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (w *world) close() {
	for _, r := range w.owners {
		r.Close()
	}
	if w.rival != nil {
		w.rival.Close()
	}
	for _, a := range w.persons.asked {
		a.answers.Stop()
	}
	_ = w.store.Close()
	_ = w.blobs.Close()
}

func (w *world) newWorker() *actor {
	w.names++
	name := fmt.Sprintf("w%d", w.names)
	nonces := 0
	return &actor{Worker: must(worker.New(worker.Options{
		Name: name, Work: w.work, Inbox: w.inbox, Signals: w.signals, Blobs: w.blobs, Quarantine: w.bad,
		Registry: w.offers(), Slots: 2, Log: slog.New(slog.DiscardHandler), Failpoint: w.crashSometimes,
		Nonce: func() string { nonces++; return fmt.Sprintf("%sn%d", name, nonces) },
	}))}
}

// errCrash ends a step in its middle, as the end of its process would.
type errCrash struct{ at string }

// crashSometimes is what a step comes by where a crash is worth testing.
func (w *world) crashSometimes(at string) {
	if w.calm {
		return
	}
	if w.random.IntN(300) == 0 && !(w.steady && strings.HasPrefix(at, "orchestrator.")) {
		panic(errCrash{at})
	}
}

// survive runs a step and reports where it crashed, if it did.
func survive(step func()) (crash *errCrash) {
	defer func() {
		if r := recover(); r != nil {
			c, ok := r.(errCrash)
			if !ok {
				panic(r)
			}
			crash = &c
		}
	}()
	step()
	return nil
}

// flaky is an event store that is away at times: before a commit is stored, or
// just after.
type flaky struct {
	events.Driver
	world *world
}

func (f *flaky) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	switch x := f.world.random.IntN(100); {
	case f.world.steady, f.world.calm:
	case x < 4:
		return 0, fmt.Errorf("append: %w", events.ErrUnavailable)
	case x < 7:
		_, _ = f.Driver.Append(ctx, stream, expected, c)
		return 0, fmt.Errorf("append, the answer was lost: %w", events.ErrUnavailable)
	}
	return f.Driver.Append(ctx, stream, expected, c)
}

// step lets one thing happen.
func (w *world) step() {
	i := w.random.IntN(len(w.workers))
	a := w.workers[i]
	switch x := w.random.IntN(1000); {
	case x < 410:
		w.stepReplica(w.random.IntN(len(w.owners)))
	case x < 890:
		if w.now.Before(a.frozen) {
			return
		}
		var err error
		if crash := survive(func() { _, err = a.Step(w.ctx, w.now) }); crash != nil {
			w.say("worker %d crashes at %s", i, crash.at)
			w.workers[i] = w.newWorker()
			return
		}
		w.say("worker %d: %v", i, err)
	case x < 950:
		w.now = w.now.Add(time.Duration(w.random.IntN(1500)) * time.Millisecond)
		w.say("the clock: %s", w.now.Format(time.TimeOnly))
	case x < 958:
		w.say("worker %d dies", i)
		w.workers[i] = w.newWorker()
	case x < 966:
		w.say("worker %d stands still", i)
		a.frozen = w.now.Add(time.Duration(w.random.IntN(30)) * time.Second)
	case x < 985 && w.steady:
	case x < 975:
		w.meddleWithReplicas()
	case x < 985:
		w.stepRival()
	case x < 993:
		w.meddle()
	default:
		w.say("worker %d leaves", i)
		a.Drain()
		_ = survive(func() {
			for range 200 {
				if next, err := a.Step(w.ctx, w.now); err == nil && next.IsZero() {
					break
				}
			}
		})
		w.workers[i] = w.newWorker()
	}
}

func (w *world) say(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func TestInAnyWorldEachTaskIsConfirmedOnceAndTheAnswerIsRight(t *testing.T) {
	t.Parallel()
	first, last := uint64(1), uint64(*seeds)
	if *seed != 0 {
		first, last = *seed, *seed
	}
	for s := first; s <= last; s++ {
		if err := liveThrough(t.Context(), s); err != nil {
			t.Fatalf("%v\nto see it again: go test -run InAnyWorld -seed %d .", err, s)
		}
	}
}

func TestTheSameSeedGivesTheSameWorld(t *testing.T) {
	var logs [2][]string
	for i := range logs {
		w := newWorld(t.Context(), 42)
		w.submit("a", additions, upTo(12))
		if err := w.run("a"); err != nil {
			t.Fatal(err)
		}
		logs[i] = append(w.log, w.history("a")...)
		w.close()
	}
	if fmt.Sprint(logs[0]) != fmt.Sprint(logs[1]) {
		t.Fatal("two worlds of one seed differ")
	}
}
