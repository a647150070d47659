package orchestrator

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/queue"
	memqueue "github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/task"
)

// fleet is several owners of one rig, which hear each other, and one worker that
// does everything at once. Each process has one task open at a time, so that the
// time between two confirmations is the time for which it stood still.
type fleet struct {
	*rig
	owners  []*fleetOwner
	joined  int
	ids     []string
	beaten  time.Time
	stalled time.Duration          // the longest that any process stood still
	went    map[string]time.Time   // when a process went on last
	done    map[string]task.Ranges // those of its tasks that were executed
	again   int                    // how many were executed that had been executed before
}

type fleetOwner struct {
	*Owner
	inbox *memqueue.Sharded
}

const each = 40 // tasks of a process of a fleet

func newFleet(t *testing.T, processes int) *fleet {
	f := &fleet{rig: newRig(t), went: map[string]time.Time{}, done: map[string]task.Ranges{}}
	f.owner.Close()
	f.join(true)
	for i := range processes {
		id := fmt.Sprintf("p%d", i)
		f.ids = append(f.ids, id)
		f.send(id, fanOut(func(s *definition.Step) { s.Parallelism = 1 }), each)
	}
	return f
}

func (f *fleet) join(first bool) *fleetOwner {
	f.joined++
	o := &fleetOwner{inbox: f.inbox.Consumer()}
	options := f.options
	options.Inbox, options.Signals, options.First, options.Replica = o.inbox, f.signals, first, fmt.Sprintf("r%d", f.joined)
	var err error
	o.Owner, err = NewOwner(options)
	require.NoError(f.t, err)
	f.t.Cleanup(o.Close)
	f.owners = append(f.owners, o)
	return o
}

// gone takes an owner out that is not stepped any more.
func (f *fleet) gone(o *fleetOwner) {
	o.Close()
	o.inbox.Kill()
	for i := range f.owners {
		if f.owners[i] == o {
			f.owners = append(f.owners[:i], f.owners[i+1:]...)
			return
		}
	}
}

func (f *fleet) leaves(o *fleetOwner) {
	require.NoError(f.t, o.Leave(f.ctx))
	f.gone(o)
}

// run lets everybody go on for a time, or until all is done.
func (f *fleet) run(d time.Duration) {
	f.t.Helper()
	for end := f.now.Add(d); f.now.Before(end) && !f.over(); f.pass(100 * time.Millisecond) {
		f.stepAll()
		for _, w := range f.received() {
			f.again += w.Tasks.Len() - w.Tasks.Minus(f.done[w.Process]).Len()
			f.done[w.Process] = f.done[w.Process].Union(w.Tasks)
			f.report(w.Process, task.Result{Address: w.Address, Generation: w.Generation, Attempt: w.Attempt, Tasks: w.Tasks, Outcome: task.Done})
			if went, ok := f.went[w.Process]; ok {
				f.stalled = max(f.stalled, f.now.Sub(went))
			}
			f.went[w.Process] = f.now
		}
		if f.now.Sub(f.beaten) >= time.Second {
			f.beat(task.Heartbeat{Worker: "w1", Slots: 100})
			f.beaten = f.now
		}
	}
}

func (f *fleet) stepAll() {
	f.t.Helper()
	for _, o := range f.owners {
		_, err := o.Step(f.ctx, f.now)
		require.NoError(f.t, err)
	}
}

// idle lets time pass in which no worker does anything.
func (f *fleet) idle(d time.Duration) {
	f.t.Helper()
	for end := f.now.Add(d); f.now.Before(end); f.pass(100 * time.Millisecond) {
		f.stepAll()
	}
}

func (f *fleet) over() bool {
	for _, id := range f.ids {
		if f.done[id].Len() < each {
			return false
		}
	}
	return true
}

// finish runs to the end and holds everything against what must be.
func (f *fleet) finish(stall time.Duration) {
	f.t.Helper()
	f.run(time.Minute)
	f.idle(time.Second) // the last reports
	for _, id := range f.ids {
		s := f.state(id)
		require.Equal(f.t, process.Completed, s.Status, id)
		require.Equal(f.t, each, s.Steps()[0].Confirmed)
	}
	f.t.Logf("the longest that a process stood still: %s; %d tasks were executed twice", f.stalled, f.again)
	require.LessOrEqual(f.t, f.stalled, stall)
}

func (f *fleet) requireShared() {
	f.t.Helper()
	all := queue.Shards(0)
	for _, o := range f.owners {
		require.Zero(f.t, all&o.shards, "two hold a shard")
		require.NotZero(f.t, o.shards, "%s holds nothing", o.Replica)
		require.Equal(f.t, len(f.owners), o.feeder.replicas, "the workers are shared, too")
		all |= o.shards
		for id := range o.processes {
			require.True(f.t, o.shards.Holds(id), "%s knows %s, which is not its business", o.Replica, id)
		}
		for _, timer := range o.timers.heap {
			require.True(f.t, o.shards.Holds(timer.id))
		}
	}
	require.Equal(f.t, queue.AllShards, all)
}

// Between the end of one owner's part and the beginning of the next one's lie a
// step or two, and the roll call.
const handedOver = rollCall + time.Second

func TestAReplicaThatJoinsTakesItsShareInMidProcessAndNothingIsLost(t *testing.T) {
	f := newFleet(t, 20)
	f.run(time.Second)
	f.join(false)
	f.join(false)
	f.run(2 * time.Second)
	f.requireShared()
	f.finish(handedOver)
}

func TestWhatAReplicaHeldThatLeavesIsGoneOnWithAtOnce(t *testing.T) {
	f := newFleet(t, 20)
	f.join(false)
	f.run(2500 * time.Millisecond)
	f.requireShared()
	f.leaves(f.owners[0])
	f.run(500 * time.Millisecond)
	f.requireShared()
	f.finish(handedOver)
}

func TestWhatAReplicaHeldThatDiesIsTakenOverAfterTwoSeconds(t *testing.T) {
	f := newFleet(t, 20)
	f.join(false)
	f.join(false)
	f.run(2500 * time.Millisecond)
	f.requireShared()
	f.gone(f.owners[1])
	f.run(silentAfter + announceEvery + 200*time.Millisecond)
	f.requireShared()
	f.finish(handedOver + silentAfter + announceEvery)
}

func TestARollingRestartOfAllReplicasLosesNothing(t *testing.T) {
	f := newFleet(t, 20)
	f.join(false)
	f.join(false)
	f.run(2 * time.Second)
	for range 3 {
		f.leaves(f.owners[0])
		f.join(false)
		f.run(1700 * time.Millisecond)
		f.requireShared()
	}
	f.finish(handedOver)
	require.Zero(t, f.again, "executed twice")
}

func TestAReplicaThatStoodStillForLongGoesOnWithoutTakingWhatOthersHave(t *testing.T) {
	f := newFleet(t, 20)
	f.join(false)
	f.run(2500 * time.Millisecond)
	sleeper := f.owners[0]
	f.owners = f.owners[1:]
	f.run(3 * time.Second)
	f.owners = append(f.owners, sleeper)
	f.run(2 * time.Second)
	f.requireShared()
	f.finish(handedOver + silentAfter + announceEvery)
}

// Such a one serves the queues, and was away with them: the others outlived it.
func TestAFirstReplicaThatBeginsWhereOthersHoldShardsSharesThem(t *testing.T) {
	f := newFleet(t, 20)
	f.join(false)
	f.join(false)
	f.run(2500 * time.Millisecond)
	f.gone(f.owners[0])
	f.join(true)
	f.run(3 * time.Second)
	f.requireShared()
	f.finish(handedOver + silentAfter + announceEvery)
}

func TestTheTasksOfAProcessThatIsLetGoOfStayOnTheQueueForTheNextToSweep(t *testing.T) {
	f := newFleet(t, 0)
	f.send("p", fanOut(), 5)
	o := f.owners[0]
	_, err := o.Step(f.ctx, f.now)
	require.NoError(t, err)
	require.Equal(t, 5, f.pending("p"))
	require.NoError(t, o.letGo(f.ctx, queue.AllShards))
	require.NoError(t, o.feed(f.ctx, f.now))
	require.Equal(t, 5, f.pending("p"))
	require.Empty(t, o.processes)
}

// foreign is the ID of a process whose shard an owner does not hold.
func foreign(t *testing.T, o *fleetOwner) string {
	t.Helper()
	for i := range 1000 {
		if id := fmt.Sprintf("f%d", i); !o.shards.Holds(id) {
			return id
		}
	}
	t.Fatal("it holds everything")
	return ""
}

func TestAHeartbeatWithTasksOfAProcessOfAnotherReplicaIsNoneOfItsBusiness(t *testing.T) {
	f := newFleet(t, 0)
	f.join(false)
	f.idle(3 * time.Second)
	f.requireShared()
	o, other := f.owners[0], f.owners[1]
	id := foreign(t, o)
	f.send(id, fanOut(), 3)
	_, err := other.Step(f.ctx, f.now)
	require.NoError(t, err)
	f.ask(id, process.CancelProcess{})
	_, err = other.Step(f.ctx, f.now)
	require.NoError(t, err)
	cancels := f.cancels()
	f.beat(task.Heartbeat{Worker: "w1", Holding: []task.Hold{{Process: id, Address: "work", Attempt: 1, Tasks: task.Span(0, 3)}}})
	_, err = o.Step(f.ctx, f.now)
	require.NoError(t, err)
	require.Empty(t, cancels())
	require.NotContains(t, o.processes, id)
	_, err = other.Step(f.ctx, f.now)
	require.NoError(t, err)
	require.Equal(t, []task.Cancel{{Process: id}}, cancels())
}

func TestAQuestionAboutAProcessIsAnsweredByItsHolderOnly(t *testing.T) {
	f := newFleet(t, 0)
	f.join(false)
	f.idle(3 * time.Second)
	f.requireShared()
	replies, err := f.signals.Subscribe("reply.x")
	require.NoError(t, err)
	defer replies.Stop()
	question, err := json.Marshal(question{ReplyTo: "reply.x", Process: foreign(t, f.owners[0])})
	require.NoError(t, err)
	require.NoError(t, f.signals.Publish(f.ctx, topicAsk, question))
	f.stepAll()
	require.Len(t, replies.C(), 1)
	var v View
	require.NoError(t, json.Unmarshal(<-replies.C(), &v))
	require.Equal(t, f.owners[1].shards, v.Shards)
	require.Equal(t, []ReplicaView{{Replica: "r2", Shards: f.owners[1].shards}}, v.Replicas)
}

func TestAnOwnerThatIsAskedInItsFirstStepIsNotCertain(t *testing.T) {
	f := newFleet(t, 0)
	replies, err := f.signals.Subscribe("reply.x")
	require.NoError(t, err)
	defer replies.Stop()
	require.NoError(t, f.signals.Publish(f.ctx, topicAsk, []byte(`{"replyTo":"reply.x"}`)))
	f.stepAll()
	var v View
	require.NoError(t, json.Unmarshal(<-replies.C(), &v))
	require.False(t, v.Certain)
}
