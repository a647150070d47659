package orchestrator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestWhoWaitsForRoomBehindARowThatIsCancelledGoesOn(t *testing.T) {
	r := newRig(t)
	beat := func() { r.beat(task.Heartbeat{Worker: "w", Slots: 4, Offer: task.Resources{CPU: 4}}) }
	beat()
	r.step()
	whole := func(i int) { // a task that needs all there is, and is long: the purse is empty then
		result := done(task.Of(i))
		result.Elapsed = task.Duration(time.Minute)
		r.report("large", result)
	}
	r.send("large", fanOut(needing(task.Resources{CPU: 4})), 10)
	r.step()
	whole(0)
	r.step()
	r.send("small", fanOut(needing(task.Resources{CPU: 1})), 10)
	r.step()
	r.pass(time.Second)
	whole(1)
	r.step()
	r.pass(time.Second)
	r.step() // large looks for room
	require.Equal(t, task.Span(0, 4), r.owner.feeder.feeds["small"].rows["work"].out.all())

	r.pass(crampedMost + time.Second)
	beat()
	r.report("small", done(task.Span(0, 4)))
	r.send("plain", fanOut(), 8)
	r.step() // now small waits for large, which waits for plain to leave the queue
	require.Empty(t, r.owner.feeder.feeds["small"].rows["work"].out.all())
	require.Empty(t, r.owner.feeder.feeds["large"].rows["work"].out.all())

	r.ask("large", process.CancelProcess{Asked: process.Asked{Command: "c"}})
	r.report("plain", done(task.Span(0, 8)))
	r.step()
	r.step()
	require.Equal(t, task.Span(4, 4), r.owner.feeder.feeds["small"].rows["work"].out.all())
}

func TestTasksThatNobodyCanExecuteAnyMoreDoNotFillTheQueue(t *testing.T) {
	r := newRig(t)
	r.beat(task.Heartbeat{Worker: "a", Slots: 4, Handlers: []string{"any"}})
	r.beat(task.Heartbeat{Worker: "b", Slots: 4, Handlers: []string{"other"}})
	r.step()
	r.send("p", fanOut(), 1000)
	r.step()
	sent := indexes(r.received())
	require.Equal(t, task.Span(0, 16), sent)
	r.beat(task.Heartbeat{Worker: "a", Leaving: true})
	r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: sent, Outcome: task.Unserved})
	r.step()
	r.pass(nowhere)
	r.step()
	require.Empty(t, r.received())
	at := r.owner.view(r.ctx, r.now, "p").Queues[0].Unsent[0]
	require.True(t, at.Unserved)
	require.Equal(t, `no worker offers the handler "any"; offered: other`, at.Why)

	r.beat(task.Heartbeat{Worker: "c", Slots: 4, Handlers: []string{"any"}})
	r.step()
	require.Equal(t, task.Span(0, 16), indexes(r.received()))
}
