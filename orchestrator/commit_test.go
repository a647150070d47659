package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

// hindered is an event store some of whose calls do not succeed. It is safe for many
// goroutines if what hinders it is.
type hindered struct {
	events.Driver
	last   func(stream string) error
	append func(stream string) (err error, stored bool) // stored: all the same
}

func (h *hindered) Last(ctx context.Context, stream string) (events.Commit, bool, error) {
	if h.last != nil {
		if err := h.last(stream); err != nil {
			return events.Commit{}, false, err
		}
	}
	return h.Driver.Last(ctx, stream)
}

func (h *hindered) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	if h.append == nil {
		return h.Driver.Append(ctx, stream, expected, c)
	}
	hindrance, stored := h.append(stream)
	if hindrance != nil && !stored {
		return 0, hindrance
	}
	version, err := h.Driver.Append(ctx, stream, expected, c)
	if hindrance != nil {
		return 0, hindrance
	}
	return version, err
}

func hinderedRig(t *testing.T) (*rig, *hindered) {
	r, h := newRig(t), &hindered{Driver: memevents.New()}
	r.on(h)
	return r, h
}

func TestAStateThatIsKeptKeepsNothingOfWhatLedToIt(t *testing.T) {
	r := begun(t, fanOut(), 4)
	r.received()
	before := weak.Make(r.owner.processes["p"])
	require.NotNil(t, before.Value())
	for i := range 3 {
		r.report("p", done(task.Of(i)))
		r.step()
	}
	runtime.GC()
	require.Nil(t, before.Value())
	require.Equal(t, r.state("p").Version, r.owner.processes["p"].Version)
}

func TestAStoreThatIsAwayIsWaitedForOnceAndNotForEachProcess(t *testing.T) {
	r, store := hinderedRig(t)
	r.step()
	for i := range 10 {
		r.report(fmt.Sprintf("p%d", i), done(task.Of(0)))
	}
	asked := 0
	store.last = func(string) error { asked++; return events.ErrUnavailable }
	r.stepFails(events.ErrUnavailable)
	require.Equal(t, 1, asked)
}

func TestWhatIsStoredBesideACommitThatFailsIsCarriedOutAndAnsweredLater(t *testing.T) {
	r, store := hinderedRig(t)
	oneByOne := func(s *definition.Step) { s.Parallelism = 1 }
	for _, id := range []string{"a", "b"} {
		r.send(id, fanOut(oneByOne), 2)
	}
	r.step()
	r.received()

	store.append = func(stream string) (error, bool) {
		if stream == "process-a" {
			return events.ErrUnavailable, false
		}
		return nil, true
	}
	r.report("a", done(task.Of(0)))
	r.report("b", done(task.Of(0)), done(task.Of(7)))
	r.stepFails(events.ErrUnavailable)
	s, known := r.state("b"), r.owner.processes["b"]
	require.NotNil(t, known)
	require.Equal(t, s.Version, known.Version)
	require.Nil(t, r.owner.processes["a"], "whether it was stored is not known")

	store.append = nil
	r.step()
	sent := map[string]task.Ranges{}
	for _, w := range r.received() {
		sent[w.Process] = sent[w.Process].Union(w.Tasks)
	}
	require.Equal(t, map[string]task.Ranges{"a": task.Of(1), "b": task.Of(1)}, sent)
	require.Equal(t, 1, quarantined(r), "no message is put there twice")
}

func TestWhatMayBeStoredBesideACommitThatFailsIsLookedUp(t *testing.T) {
	r, store := hinderedRig(t)
	hangs := func(s *definition.Step) { s.Timeout = task.Duration(time.Minute) }
	beat := task.Heartbeat{Worker: "w1"}
	for _, id := range []string{"a", "b"} {
		r.send(id, fanOut(hangs), 1)
		beat.Holding = append(beat.Holding, task.Hold{
			Process: id, Address: "work", Attempt: 1, Tasks: task.Of(0), Running: []task.Running{{Index: 0, Elapsed: task.Duration(70 * time.Second)}},
		})
	}
	r.step()
	r.received()
	store.append = func(stream string) (error, bool) { return events.ErrUnavailable, stream == "process-b" }
	r.beat(beat)
	r.pass(time.Second)
	r.stepFails(events.ErrUnavailable)

	store.append = nil
	beat.Holding = nil // the worker is gone, and says nothing more of either
	r.beat(beat)
	r.pass(time.Second)
	r.step()
	again := r.received()
	require.Len(t, again, 1)
	require.Equal(t, "b", again[0].Process)
	require.Equal(t, 2, again[0].Attempt)
}

func TestCommitsThatAreStoredAtTheSameTimeByAStoreThatFailsNowAndThenLoseAndDoubleNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const processes, tasks = 80, 4
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(1, 2))
		trouble := func(string) (error, bool) {
			mu.Lock()
			defer mu.Unlock()
			switch random.IntN(40) {
			case 0, 1:
				return events.ErrUnavailable, false
			case 2, 3:
				return events.ErrUnavailable, true
			case 4:
				return &events.ConflictError{Stream: "x", Expected: events.Exactly(1), Actual: 2}, true
			}
			return nil, true
		}
		r := newRuns(t)
		r.options.Events = events.New(&hindered{Driver: memevents.New(), append: trouble})
		r.client.Events = r.options.Events
		blobs := newBlobs(t)
		require.NoError(t, blobs.Close()) // snapshots fail, too, while the owner goes on
		r.options.Snapshots = &Snapshots{Blobs: blobs, Every: 1, Log: slog.New(slog.DiscardHandler)}
		_, stop := r.start("a", true)
		defer stop()

		var starts []queue.Message
		for i := range processes {
			id := fmt.Sprintf("p%02d", i)
			message, err := commandMessage(id, startOf(id, fanOut(), ones(tasks)), "")
			require.NoError(t, err)
			starts = append(starts, message)
		}
		require.NoError(t, r.inbox.Send(t.Context(), starts...))
		for range 60 {
			work, err := r.options.Work.Receive(t.Context(), 1000, time.Second)
			require.NoError(t, err)
			var reports []queue.Message
			for _, d := range work {
				var w task.Work
				require.NoError(t, json.Unmarshal(d.Body, &w))
				body, err := json.Marshal(task.Envelope{Report: &task.Report{Process: w.Process, Worker: "w", Results: []task.Result{{
					Address: w.Address, Generation: w.Generation, Attempt: w.Attempt, Tasks: w.Tasks, Outcome: task.Done,
				}}}})
				require.NoError(t, err)
				reports = append(reports, queue.Message{Key: w.Process, Body: body})
			}
			require.NoError(t, r.inbox.Send(t.Context(), reports...))
			require.NoError(t, r.options.Work.Ack(t.Context(), work...))
		}
		for i := range processes {
			id := fmt.Sprintf("p%02d", i)
			var confirmed task.Ranges
			count := 0
			for _, e := range happened(t, r.options.Events, id) {
				if c, ok := e.(process.TasksConfirmed); ok && c.Address == "work" {
					confirmed, count = confirmed.Union(c.Tasks), count+c.Tasks.Len()
				}
			}
			s, err := Load(t.Context(), r.options.Events, id)
			require.NoError(t, err)
			require.Equal(t, process.Completed, s.Status, id)
			require.Equal(t, task.Span(0, tasks), confirmed, id)
			require.Equal(t, tasks, count, id)
		}
		quarantined, err := r.options.Quarantine.Pending(t.Context(), "inbox")
		require.NoError(t, err)
		require.Zero(t, quarantined)
	})
}
