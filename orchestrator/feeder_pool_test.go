package orchestrator

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// in takes what is in a lane.
func (r *rig) in(lane string) (all []task.Work) {
	r.t.Helper()
	q, err := r.work.Lane(r.ctx, lane)
	require.NoError(r.t, err)
	deliveries, err := q.Receive(r.ctx, 100_000, 0)
	require.NoError(r.t, err)
	require.NoError(r.t, q.Ack(r.ctx, deliveries...))
	for _, d := range deliveries {
		var w task.Work
		require.NoError(r.t, json.Unmarshal(d.Body, &w))
		all = append(all, w)
	}
	return all
}

func inPool(name string) func(*definition.Step) {
	return func(s *definition.Step) { s.Pool = name }
}

func needing(needs task.Resources) func(*definition.Step) {
	return func(s *definition.Step) { s.Needs = needs }
}

func TestTasksOfAPoolWithoutWorkersGoToThoseThatTakeAnyAndElseWaitInItsLane(t *testing.T) {
	r := newRig(t)
	r.beat(task.Heartbeat{Worker: "plain", Slots: 4})
	r.step()
	r.send("p", fanOut(inPool("gpu")), 3)
	r.step()
	require.Empty(t, r.in("default"))
	require.Len(t, r.in("gpu"), 3, "where whoever starts workers sees them")

	r.beat(task.Heartbeat{Worker: "inside", Slots: 4, AnyPool: true})
	r.send("q", fanOut(inPool("gpu")), 3)
	r.step()
	r.pass(rollCall)
	r.step()
	require.Empty(t, r.in("gpu"))
	byProcess := map[string]int{}
	for _, w := range r.in("default") {
		byProcess[w.Process]++
	}
	require.Equal(t, map[string]int{"p": 3, "q": 3}, byProcess, "also those that waited where nobody takes them")

	r.beat(task.Heartbeat{Worker: "g", Slots: 4, Pool: "gpu"})
	r.send("r", fanOut(inPool("gpu")), 2)
	r.step()
	require.Len(t, r.in("gpu"), 2)
	r.pass(time.Second)
	r.step()
	require.Empty(t, r.in("gpu"), "what is with a worker that takes any stays there")
}

func TestWhatIsStrandedInALaneIsNotSentTwiceIfAWorkerHasIt(t *testing.T) {
	r := newRig(t)
	r.beat(task.Heartbeat{Worker: "g", Slots: 4, Pool: "gpu"})
	r.step()
	r.send("p", fanOut(inPool("gpu")), 3)
	r.step()
	require.Len(t, r.in("gpu"), 3)
	r.beat(task.Heartbeat{Worker: "inside", Slots: 4, AnyPool: true, Holding: []task.Hold{{Process: "p", Address: "work", Attempt: 1, Tasks: task.Of(1)}}})
	r.beat(task.Heartbeat{Worker: "g", Leaving: true})
	r.step()
	r.pass(rollCall)
	r.step()
	require.Equal(t, task.Of(0, 2), indexes(r.in("default")))
}

func TestMergesAreExecutedInThePoolOfTheirStep(t *testing.T) {
	r := newRig(t)
	r.beat(task.Heartbeat{Worker: "g", Slots: 4, Pool: "gpu"})
	r.step()
	r.send("p", fanOut(inPool("gpu")), 1)
	r.step()
	require.Len(t, r.in("gpu"), 1)
	result := done(task.Of(0))
	result.Manifest = &task.Ref{Key: "m", Size: 1, SHA256: "aa"}
	r.report("p", result)
	r.step()
	merge := r.in("gpu")
	require.Len(t, merge, 1)
	require.Equal(t, "deed/seal/out", merge[0].Address)
	require.Equal(t, "gpu", merge[0].Pool, "so that the worker takes it")
}

func TestTasksThatNeedMoreThanAnyWorkerHasAreSetAsideUntilOneHas(t *testing.T) {
	const gib = 1 << 30
	r := newRig(t)
	r.beat(task.Heartbeat{Worker: "g1", Slots: 4, Pool: "big", Offer: task.Resources{CPU: 8, Memory: 32 * gib}})
	r.beat(task.Heartbeat{Worker: "g2", Slots: 4, Pool: "big", Offer: task.Resources{CPU: 64, Memory: 16 * gib}})
	r.step()
	r.send("p", fanOut(inPool("big"), needing(task.Resources{Memory: 64 * gib})), 3)
	r.step()
	require.Empty(t, r.in("big"))
	v := r.owner.view(r.ctx, r.now, "p")
	at := v.Find(v, task.Attempt{Process: "p", Address: "work", Index: 1, Attempt: 1}, "any")
	require.Equal(t, Unserved, at.Place)
	require.Equal(t, "it needs memory 64 GiB; the largest worker of pool big offers memory 32 GiB", at.Text)
	require.Equal(t, PoolView{Pool: "big", Workers: 2, Slots: 8}, v.Pools[0])

	r.beat(task.Heartbeat{Worker: "g3", Slots: 4, Pool: "big", Offer: task.Resources{CPU: 8, Memory: 128 * gib}})
	r.step()
	require.Len(t, r.in("big"), 2, "as many as fit")
}

func TestNoMoreTasksAreOutThanWorkersHaveRoomForTogether(t *testing.T) {
	const gib = 1 << 30
	worker := func(name string) task.Heartbeat {
		return task.Heartbeat{Worker: name, Slots: 8, Offer: task.Resources{CPU: 8, Memory: 64 * gib}}
	}
	p := newPlant(t, worker("a"), worker("b"))
	p.starts(0, "large", 200, step(needing(task.Resources{Memory: 20 * gib})))
	p.starts(0, "other", 200, step(needing(task.Resources{Memory: 30 * gib})))
	p.starts(0, "plain", 2000)
	most := task.Resources{}
	for range 200 {
		p.run("", 20*time.Millisecond)
		var used task.Resources
		for id, needs := range map[string]int64{"large": 20, "other": 30} {
			out := 0
			if fd := p.owner.feeder.feeds[id]; fd != nil {
				out = fd.rows["work"].out.tasks
			}
			require.LessOrEqual(t, out, map[string]int{"large": 6, "other": 4}[id])
			used.Memory += needs * int64(out) * gib
		}
		require.LessOrEqual(t, used.Memory, int64(128*gib))
		most.Memory = max(most.Memory, used.Memory)
	}
	require.GreaterOrEqual(t, most.Memory, int64(100*gib))
	p.run("other", time.Minute)
	require.GreaterOrEqual(t, len(p.begun["large"]), 100, "neither starves")
}

func TestTasksHandedBackForWantOfRoomWaitAndThoseOfADrainDoNot(t *testing.T) {
	r := newRig(t)
	r.beat(task.Heartbeat{Worker: "w", Slots: 4})
	r.step()
	r.send("p", fanOut(), 2)
	r.step()
	require.Len(t, r.received(), 2)
	back := func(i int, why *task.Failure) {
		r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: task.Of(i), Outcome: task.Returned, Failure: why})
	}
	back(0, nil)
	back(1, &task.Failure{Error: "it needs memory 20 GiB, and 4 GiB are free"})
	r.step()
	require.Equal(t, task.Of(0), indexes(r.received()))
	r.pass(crowded - 1)
	r.step()
	require.Empty(t, r.received())
	r.pass(1)
	r.step()
	require.Equal(t, task.Of(1), indexes(r.received()))
	require.Zero(t, r.state("p").Steps()[0].Failures)
}

func TestAPoolSaysHowMuchWorkItHas(t *testing.T) {
	p := newPlant(t, slots(4))
	p.starts(0, "p", 1000)
	p.run("", time.Second+10*time.Millisecond)
	v := p.owner.view(p.ctx, p.now, "").Pools
	require.Len(t, v, 1)
	left := 1000 - 20*4
	require.Equal(t, PoolView{
		Workers: 1, Slots: 4, Out: 8, Waiting: left - 8, Took: task.Duration(short), Backlog: task.Duration(left) * task.Duration(short),
	}, v[0])
}

func TestReplicasDivideTheSlotsAndOneAloneMayUseThemAll(t *testing.T) {
	running, now := newRunning(lease), time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	f := newFeeder(nil, mostOut, running)
	f.replicas = 2
	f.feed("mine")
	look := func(holding ...task.Hold) int {
		now = now.Add(time.Second)
		running.beat(now, task.Heartbeat{Worker: "w", Slots: 16, Holding: holding})
		f.regroup(now)
		return f.pool("").lane.slots
	}
	mine := task.Hold{Process: "mine", Tasks: task.Span(0, 12)}
	require.Equal(t, 16, look(mine), "the other replica has nothing to do")
	require.Equal(t, 13, look(mine, task.Hold{Process: "another's", Tasks: task.Span(0, 3)}))
	require.Equal(t, 8, look(task.Hold{Process: "another's", Tasks: task.Span(0, 16)}))
	running.beat(now, task.Heartbeat{Worker: "x", Slots: 8, Holding: []task.Hold{{Process: "another's", Tasks: task.Span(0, 4000)}}})
	require.Equal(t, 16, look(mine), "a slot has many short tasks")
}

func TestTheTasksOfHundredsOfPoolsMoveTogetherToAWorkerThatTakesAny(t *testing.T) {
	const pools = 500
	r := newRig(t)
	for i := range pools {
		r.send(fmt.Sprint("p", i), fanOut(inPool(fmt.Sprint("pool-", i))), 1)
	}
	for range pools/inboxBatch + 1 {
		r.step()
	}
	r.beat(task.Heartbeat{Worker: "w", Slots: pools, AnyPool: true})
	r.step()
	r.pass(rollCall)
	for range pools/turnSize + 1 {
		r.step()
	}
	require.Len(t, r.in("default"), pools)
}
