package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
)

// flaky is an event store that is away for as many calls as are set.
type flaky struct {
	events.Driver
	reads, appends int
	stores         bool // an append that fails is stored all the same
}

func (f *flaky) Read(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	if f.reads > 0 {
		f.reads--
		return func(yield func(events.Commit, error) bool) {
			yield(events.Commit{}, fmt.Errorf("read: %w", events.ErrUnavailable))
		}
	}
	return f.Driver.Read(ctx, stream, after)
}

func (f *flaky) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	if f.appends == 0 {
		return f.Driver.Append(ctx, stream, expected, c)
	}
	f.appends--
	if f.stores {
		f.stores = false
		if _, err := f.Driver.Append(ctx, stream, expected, c); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("append: %w", events.ErrUnavailable)
}

// flakyRig is a rig whose event store can be made to be away.
func flakyRig(t *testing.T, window int) (*rig, *flaky) {
	r, f := newRig(t), &flaky{Driver: memevents.New()}
	r.store = events.New(f)
	r.options.Events, r.options.Window = r.store, window
	r.restart()
	return r, f
}

func (r *rig) stepFails(because error) {
	r.t.Helper()
	_, err := r.owner.Step(r.ctx, r.now)
	require.ErrorIs(r.t, err, because)
}

func TestATakeoverWaitsForAStoreThatIsAwayForAMoment(t *testing.T) {
	r, store := flakyRig(t, 0)
	r.send("p", fanOut(), 2)
	r.step()
	r.received()
	store.reads = 1
	r.restart()
	r.stepFails(events.ErrUnavailable)
	r.step()
	r.pass(rollCall)
	r.step()
	require.Equal(t, task.Span(0, 2), indexes(r.received()))
}

func TestATaskThatHangsIsAskedAboutAgainAfterTheStoreWasAway(t *testing.T) {
	r, store := flakyRig(t, 0)
	r.send("p", fanOut(func(s *definition.Step) { s.Timeout = task.Duration(time.Minute) }), 1)
	r.step()
	r.received()
	hangs := func(d time.Duration) {
		r.beat(task.Heartbeat{Worker: "w1", Holding: []task.Hold{{
			Process: "p", Address: "work", Attempt: 1, Tasks: task.Of(0), Running: []task.Running{{Index: 0, Elapsed: task.Duration(d)}},
		}}})
		r.pass(time.Second)
	}
	store.appends = 2 // an append is repeated once by itself
	hangs(70 * time.Second)
	r.stepFails(events.ErrUnavailable)
	hangs(71 * time.Second)
	r.step()
	again := r.received()
	require.Len(t, again, 1)
	require.Equal(t, 2, again[0].Attempt)
}

func TestAResultThatWasStoredWithoutTheOwnerKnowingMakesRoomForOtherTasks(t *testing.T) {
	r, store := flakyRig(t, 10)
	r.send("p", fanOut(), 20)
	r.step()
	require.Equal(t, task.Span(0, 10), indexes(r.received()))
	store.appends, store.stores = 2, true
	r.report("p", done(task.Span(0, 10)))
	r.stepFails(events.ErrUnavailable)
	r.step()
	require.Equal(t, task.Span(10, 10), indexes(r.received()))
}

func TestWhatAHeartbeatClaimsIsHeldOnlyAsFarAsItIsOpen(t *testing.T) {
	r := newRig(t)
	r.options.Window = 10
	r.restart()
	r.send("p", fanOut(), 30)
	r.step()
	r.received()
	r.restart()
	r.step()
	r.beat(held("w1", "p", task.Span(0, 10)))
	r.beat(task.Heartbeat{Worker: "w2", Holding: []task.Hold{{Process: "p", Address: "work", Attempt: 1, Tasks: task.Ranges{{First: 30, Count: task.MaxIndex - 29}}}}})
	r.report("p", done(task.Span(0, 10))) // after the heartbeat, before it counts
	r.pass(rollCall)
	r.step()
	require.Equal(t, task.Span(10, 10), indexes(r.received()))
}

func TestAReportThatHandsBackMoreThanThereIsCostsNothing(t *testing.T) {
	r := begun(t, fanOut(), 3)
	r.received()
	r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: task.Ranges{{First: 1, Count: task.MaxIndex}}, Outcome: task.Returned})
	r.step()
	require.Equal(t, task.Of(1, 2), indexes(r.received()))
}

// away is a queue that refuses as many sends as are set.
type away struct {
	queue.Queue
	sends int
}

func (a *away) Send(ctx context.Context, messages ...queue.Message) error {
	if a.sends > 0 {
		a.sends--
		return queue.ErrUnavailable
	}
	return a.Queue.Send(ctx, messages...)
}

func TestWhatWasStoredIsSentAlsoIfTheQuarantineIsAwayForAMoment(t *testing.T) {
	r := newRig(t)
	r.options.Quarantine = &away{r.bad, 1}
	r.restart()
	r.send("p", fanOut(func(s *definition.Step) { s.Parallelism = 1 }), 3)
	r.step()
	r.received()
	r.report("p", done(task.Of(0)), done(task.Of(7)))
	r.stepFails(queue.ErrUnavailable)
	r.step()
	require.Equal(t, task.Of(1), indexes(r.received()))
	require.Equal(t, 1, quarantined(r))
}

func TestAMessageTooLargeForTheQuarantineIsKeptInPartAndHoldsUpNobody(t *testing.T) {
	r := newRig(t)
	r.bad = memqueue.NewQueue(memqueue.Options{Lease: lease, MaxBody: 100 << 10, Now: func() time.Time { return r.now }})
	r.options.Quarantine = r.bad
	r.restart()
	require.NoError(t, r.inbox.Send(r.ctx, queue.Message{Key: "p", Body: make([]byte, 90<<10)}))
	r.send("p", fanOut(), 1)
	r.step()
	require.Equal(t, process.Running, r.state("p").Status)
	bad := r.quarantined()
	require.Len(t, bad, 1)
	require.Len(t, bad[0].Body, quarantinedBody)
	require.Contains(t, bad[0].Reason, "of its 92160 bytes the first 65536 are kept")
}

func TestATaskWhoseMessageIsTooLargeIsTheOneThatIsSaidToFail(t *testing.T) {
	r := newRig(t)
	r.work = memqueue.NewQueue(memqueue.Options{Lease: lease, MaxBody: 1 << 10, Now: func() time.Time { return r.now }})
	r.options.Work = r.work
	r.restart()
	in := ones(9)
	in.Parts[6].Value, _ = json.Marshal(string(make([]byte, 2<<10)))
	r.give("p", startOf("p", fanOut(), task.Inline(in.Parts)), "")
	r.step()
	s := r.state("p")
	require.Equal(t, process.Failed, s.Status)
	require.Equal(t, 6, s.Failure.Index)
	require.Contains(t, s.Failure.Reason, "its message cannot be sent")
}
