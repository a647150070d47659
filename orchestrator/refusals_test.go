package orchestrator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestWhatAWorkerSaysAboutTasksThatItSendsBackIsToldForAWhile(t *testing.T) {
	r := newRig(t)
	r.send("p", fanOut(), 2)
	r.beat(task.Heartbeat{Worker: "w1", Slots: 2, Handlers: []string{"any"}})
	r.step()
	r.received()
	at := task.Attempt{Process: "p", Address: "work", Index: 1, Attempt: 1}
	look := func() (v View, where Whereabouts) {
		v = r.owner.view(t.Context(), r.now, "p")
		return v, v.Find(v, at, "any")
	}
	r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: task.Of(0, 1), Outcome: task.Unserved, Failure: &task.Failure{Error: "it does not allow that"}})
	r.step()
	v, where := look()
	require.Equal(t, "work", v.Queues[0].Refused[0].Address)
	require.Contains(t, where.Text, "sent back tasks of work, which are offered again until a worker takes them: it does not allow that")
	text, refused := v.Refusal("p", "work")
	require.True(t, refused)
	require.Contains(t, text, "it does not allow that")
	_, refused = v.Refusal("p", "other")
	require.False(t, refused)

	r.report("p", task.Result{Address: "work", Attempt: 1, Tasks: task.Of(0), Outcome: task.Returned})
	r.step()
	v, _ = look()
	require.Len(t, v.Queues[0].Refused, 1, "a worker that leaves refuses nothing")
	r.pass(refusalsKept + time.Second)
	r.step()
	v, where = look()
	require.Empty(t, v.Queues[0].Refused)
	require.NotContains(t, where.Text, "sent back")
}

func TestRefusalsAreFewHoweverManyThereAre(t *testing.T) {
	rs, now := refusals{}, time.Unix(0, 0)
	why := task.Result{Failure: &task.Failure{Error: "no"}}
	for i := range 3 * refusalsMost {
		rs.note(now, fmt.Sprint(i), "w1", why)
	}
	require.Len(t, rs, refusalsMost)
	require.Empty(t, rs.of(now, fmt.Sprint(refusalsMost)))
	now = now.Add(refusalsKept + 1)
	rs.note(now, "late", "w1", why)
	require.Len(t, rs, 1, "what is old makes room")
	require.Len(t, rs.of(now, "late"), 1)
}

func TestAWorkerThatDrainsIsNoneToSendTasksTo(t *testing.T) {
	run := newRunning(time.Second)
	beat := task.Heartbeat{Worker: "w1", Slots: 4, Pool: "gpu", Offer: task.Resources{CPU: 4}}
	run.beat(time.Unix(0, 0), beat)
	require.Equal(t, 4, run.slots("gpu"))
	version := run.version
	beat.Draining = true
	run.beat(time.Unix(1, 0), beat)
	require.Greater(t, run.version, version, "the feeder looks again")
	require.Zero(t, run.slots("gpu"))
	require.False(t, run.serves("gpu", "gpu"))
	require.True(t, run.offer("gpu").IsZero())
	own, _ := run.crew("gpu")
	require.Empty(t, own)
}
