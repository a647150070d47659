package orchestrator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	"github.com/deedrun/deed/task"
)

func TestNothingOfAShardComesInBeforeItsProcessesAreLoaded(t *testing.T) {
	r, store := flakyRig(t, 0)
	r.send("p", fanOut(), 2)
	r.step()
	r.restart()
	answer := r.ask("p", process.CancelProcess{})
	store.reads = 3
	for range 3 {
		r.stepFails(events.ErrUnavailable)
		require.Zero(t, r.owner.shards)
		require.Empty(t, answer.C())
	}
	r.step()
	require.Equal(t, queue.AllShards, r.owner.shards)
	require.Empty(t, r.answer(answer).Error)
}

// ticking is a clock that goes on by so much whenever it is looked at.
func ticking(now time.Time, by time.Duration) func() time.Time {
	return func() time.Time {
		now = now.Add(by)
		return now
	}
}

// sliced is an owner that takes over 20 processes, of which a slice holds few.
func sliced(t *testing.T) (r *rig, ids []string) {
	r = newRig(t)
	for i := range 20 {
		ids = append(ids, fmt.Sprintf("p%d", i))
		r.send(ids[i], fanOut(), 1)
	}
	r.step()
	r.restart()
	return r, ids
}

func TestALongTakeoverIsDoneInSlicesSoThatTheShardsThatAreHeldGoOn(t *testing.T) {
	r, ids := sliced(t)
	held := queue.Shards(0).With(queue.ShardOf(ids[0]))
	r.owner.members.claimed = held
	require.NoError(t, r.owner.take(r.ctx, ticking(r.now, 0)))
	require.Equal(t, held, r.owner.shards)

	clock := ticking(r.now, takeoverSlice/3)
	_, err := r.owner.step(r.ctx, r.ctx, clock, 0)
	require.NoError(t, err)
	require.Equal(t, held, r.owner.shards, "it is still loading the others")
	require.Less(t, len(r.owner.processes), len(ids))
	answer := r.ask(ids[0], process.CancelProcess{})
	_, err = r.owner.step(r.ctx, r.ctx, clock, 0)
	require.NoError(t, err)
	require.Empty(t, r.answer(answer).Error)
	require.NotNil(t, r.owner.taking)
	require.LessOrEqual(t, r.owner.next(r.now), r.now, "and comes back at once")

	for range ids {
		_, err := r.owner.step(r.ctx, r.ctx, clock, 0)
		require.NoError(t, err)
	}
	require.Equal(t, queue.AllShards, r.owner.shards)
	require.Len(t, r.owner.processes, len(ids))
}

func TestAShardThatIsLostWhileItsProcessesAreLoadedIsForgotten(t *testing.T) {
	r, ids := sliced(t)
	clock := ticking(r.now, takeoverSlice/3)
	require.NoError(t, r.owner.shareOut(r.ctx, clock))
	require.NotNil(t, r.owner.taking)
	require.NotEmpty(t, r.owner.processes)
	lost := queue.Shards(0)
	for _, id := range ids[10:] {
		lost = lost.With(queue.ShardOf(id))
	}
	for id := range r.owner.processes {
		lost = lost.With(queue.ShardOf(id))
	}
	for r.owner.taking != nil {
		r.owner.members.hear(r.now, Announcement{Replica: "other", Shards: lost, Joining: true})
		require.NoError(t, r.owner.shareOut(r.ctx, clock))
	}
	require.Equal(t, queue.AllShards&^lost, r.owner.shards)
	for id := range r.owner.processes {
		require.False(t, lost.Holds(id), id)
	}
}

func TestARetryThatIsPlannedMovesWithItsShard(t *testing.T) {
	f := newFleet(t, 0)
	f.send("p", fanOut(), 1)
	f.stepAll()
	f.received()
	f.report("p", task.Result{
		Address: "work", Attempt: 1, Tasks: task.Span(0, 1), Outcome: task.Failed, Failure: &task.Failure{Error: "x", Verdict: task.Retry},
	})
	f.stepAll()
	f.join(false)
	f.leaves(f.owners[0])
	f.idle(57 * time.Second)
	require.Empty(t, f.received())
	f.idle(5 * time.Second)
	again := f.received()
	require.Len(t, again, 1)
	require.Equal(t, 2, again[0].Attempt)
}
