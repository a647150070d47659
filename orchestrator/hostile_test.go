package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
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

// What a worker sends is read by an owner that others depend on, too.

func (r *rig) reportFrom(worker, of, filed string, results ...task.Result) {
	r.t.Helper()
	r.putInLane(queue.Reports, filed, task.Envelope{Report: &task.Report{Process: of, Worker: worker, Results: results}})
}

func TestAReportWithEndlessNamesIsPutIntoQuarantineWithAShortReasonAndHoldsUpNobody(t *testing.T) {
	const most = 100 << 10
	r := newRig(t)
	r.bad = memqueue.NewQueue(memqueue.Options{Lease: lease, MaxBody: most, Now: func() time.Time { return r.now }})
	r.options.Quarantine = r.bad
	r.restart()
	r.send("p", fanOut(), 1)
	r.step()
	long := strings.Repeat("\x01", most)
	r.reportFrom("w", "p", "p", task.Result{Address: long, Attempt: 1, Tasks: task.Of(0), Outcome: task.Done})
	r.reportFrom("w", "p", "p", task.Result{Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Outcome(long)})
	r.reportFrom("w", long, "p")
	r.reportFrom(long, "p", "p", done(task.Of(0)))
	r.reportFrom("w", "p", "p", task.Result{Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Unserved, Failure: &task.Failure{Error: long}})
	r.step()
	bad := r.quarantined()
	require.Len(t, bad, 4)
	for _, q := range bad {
		require.Less(t, len(q.Reason), 2*quarantinedReason)
		require.Len(t, q.Body, quarantinedBody)
	}
	require.Less(t, len(r.owner.refusals.of(r.now, "p")[0].Why), 2*task.MaxError)
	r.report("p", done(task.Of(0)))
	r.step()
	require.Equal(t, process.Completed, r.state("p").Status)
}

func TestWhateverAWorkerReportsTheOwnerGoesOn(t *testing.T) {
	const most = task.Duration(math.MaxInt64)
	everything := task.Span(0, task.MaxIndex)
	for name, result := range map[string]task.Result{
		"tasks that there are not":       {Address: "work", Attempt: 1, Tasks: everything, Outcome: task.Done, Elapsed: most},
		"all tasks returned":             {Address: "work", Attempt: 1, Tasks: everything, Outcome: task.Returned},
		"all tasks unserved":             {Address: "work", Attempt: 1, Tasks: everything, Outcome: task.Unserved, Failure: &task.Failure{Error: "no"}},
		"all tasks lost":                 {Address: "work", Attempt: 1, Tasks: everything, Outcome: task.Lost},
		"an endless wait":                {Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Failed, Failure: &task.Failure{After: most}},
		"a wait of less than nothing":    {Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Failed, Failure: &task.Failure{After: -most}},
		"an endless execution":           {Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Done, Elapsed: most},
		"a merged list of no merge":      {Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Done, Sealed: &task.Dataset{Count: math.MaxInt}},
		"parts of other tasks":           {Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Done, Parts: []task.Produced{{Index: -1, Data: "out"}, {Index: 2, Data: "out"}}},
		"a ref to nowhere":               {Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Done, Manifest: &task.Ref{Key: "../../x", Size: -1}},
		"an attempt before the first":    {Address: "work", Generation: -1, Attempt: -1, Tasks: task.Of(0), Outcome: task.Done},
		"parts that are none":            {Address: "work", Attempt: 1, Tasks: task.Span(0, 3), Outcome: task.Done, Parts: []task.Produced{{Data: "out"}, {Index: 1, Data: "out", Part: task.Part{Ref: &task.Ref{Size: math.MinInt64}, Value: []byte(`1`), Key: "\x00"}}}},
		"an end that there is not":       {Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: "gone"},
		"a verdict that there is not":    {Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Failed, Failure: &task.Failure{Verdict: "guilty"}},
		"a manifest of nothing":          {Address: "work", Attempt: 1, Tasks: task.Span(0, 3), Outcome: task.Done, Manifest: &task.Ref{}},
		"nothing":                        {Outcome: task.Done},
		"a step that there is not":       {Address: "nowhere", Attempt: 1, Tasks: task.Of(0), Outcome: task.Unserved},
		"no room for what was not asked": {Address: "nowhere", Attempt: 1, Tasks: task.Of(0), Outcome: task.Returned, Failure: &task.Failure{Error: "no room"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.send("p", fanOut(func(s *definition.Step) { s.Timeout = task.Duration(time.Minute) }), 3)
			r.send("q", fanOut(), 1)
			r.beat(task.Heartbeat{Worker: "honest", Slots: 4})
			for i, slots := range []int{math.MaxInt, math.MaxInt, math.MinInt, -1} {
				r.beat(task.Heartbeat{Worker: fmt.Sprint("w", i), Slots: slots, Offer: task.Resources{CPU: math.MaxFloat64, Memory: math.MaxInt64, GPU: math.MinInt}, Holding: []task.Hold{
					{Process: "p", Address: "nowhere", Generation: -1, Tasks: everything},
					{Process: "No ID!"},
					{Process: "nobody"},
					{Process: "p", Address: "work", Attempt: 1, Tasks: everything, Running: []task.Running{{Index: -1, Elapsed: most}, {Index: math.MinInt, Elapsed: most}, {Index: math.MaxInt, Elapsed: -most}}},
				}})
			}
			r.step()
			r.reportFrom("w", "p", "p", result)
			for range 3 {
				r.step()
				_ = r.owner.view(r.ctx, r.now, "") // whoever asks gets an answer, too
				r.pass(time.Hour)
			}
			r.restart()
			r.report("q", done(task.Of(0)))
			r.step()
			require.Equal(t, process.Completed, r.state("q").Status)
			require.NoError(t, r.state("p").Damage())
		})
	}
}

// lookups counts how often an event store is asked for the events of a stream.
type lookups struct {
	events.Driver
	streams int
}

func (a *lookups) Last(ctx context.Context, stream string) (events.Commit, bool, error) {
	a.streams++
	return a.Driver.Last(ctx, stream)
}

func TestAHeartbeatThatNamesEndlesslyManyProcessesKeepsNoOwnerFromItsWork(t *testing.T) {
	r := newRig(t)
	store := &lookups{Driver: memevents.New()}
	r.on(store)
	r.step()
	before := store.streams
	for i := range 10 {
		var holding []task.Hold
		for j := range 10_000 {
			holding = append(holding, task.Hold{Process: fmt.Sprintf("p-%d-%d", i, j), Generation: 1})
		}
		r.beat(task.Heartbeat{Worker: "w", Holding: holding})
	}
	r.step()
	require.NotEqual(t, before, store.streams)
	require.LessOrEqual(t, store.streams-before, 3*looksAtOnce)
}

func TestAHeartbeatThatNamesAGenerationThatThereIsNotCancelsNothingOfOthers(t *testing.T) {
	r := begun(t, fanOut(), 3)
	cancels, err := r.signals.Subscribe(task.TopicCancel)
	require.NoError(t, err)
	defer cancels.Stop()
	for _, generation := range []int{1, 1000, math.MaxInt} {
		r.beat(task.Heartbeat{Worker: "w", Holding: []task.Hold{{Process: "p", Address: "work", Generation: generation, Attempt: 1, Tasks: task.Of(0)}}})
	}
	r.step()
	require.Empty(t, cancels.C())

	r.beat(task.Heartbeat{Worker: "w", Holding: []task.Hold{{Process: "p", Address: "work", Generation: -1, Attempt: 1, Tasks: task.Of(0)}}})
	r.step()
	var c task.Cancel
	require.NoError(t, json.Unmarshal(<-cancels.C(), &c))
	require.False(t, c.Covers("work", 0), "what the others execute goes on")
}
